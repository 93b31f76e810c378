#include "cmd/core/project.hpp"

#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/pid_lock.hpp"

namespace hob::cmd {
namespace {

bool uses_units(const command& verb, const invocation& call) {
    switch (verb.units) {
        case unit_use::none:
            return false;
        case unit_use::named:
            return !call.operands.empty();
        case unit_use::unnamed:
            return call.operands.empty();
        case unit_use::all:
            return true;
    }
    return false;
}

bool exists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

}  // namespace

std::string directory_of(const invocation& call) {
    char path[PATH_MAX];
    const char* directory = call.global.directory ? call.global.directory->c_str() : ".";
    return ::realpath(directory, path) != nullptr ? path : directory;
}

void require_project(const command& verb, invocation& call) {
    if (!uses_units(verb, call)) return;
    const lifecycle::instance& where = call.where();
    struct stat found {};
    if (where.config_required || ::stat(where.config_path.c_str(), &found) == 0) return;
    // The file may have been removed under a daemon whose units can still be stopped.
    const bool may_have_units = verb.need == daemon_need::looking && !call.operands.empty() &&
                                lifecycle::query_lock(where.pid_path()).state != lifecycle::lock_state::free;
    if (may_have_units) return;
    throw failure(
        error_kind::no_project, cannot("run", command_text(verb.name)),
        std::string("no ") + this_program.config_file + " in " + directory_of(call) + " or above it",
        command_text("init") + " writes one here");
}

void require_known_instance(invocation& call) {
    const lifecycle::instance& where = call.where();
    const bool named = !where.config_required && lifecycle::valid_instance_name(where.key);
    if (!named || exists(where.state_dir()) || exists(where.pid_path())) return;
    throw failure(error_kind::no_daemon, cannot("find the instance", where.key), "it has never run",
                  command_text("list") + " shows all instances");
}

}  // namespace hob::cmd
