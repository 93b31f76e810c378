#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "cmd/enable/request.hpp"
#include "cmd/enable/systemctl.hpp"
#include "error.hpp"
#include "lifecycle/pid_lock.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

struct disabled {
    std::vector<std::string> removed;  // paths
    std::vector<std::string> kept;     // changed by hand
    bool stopped = false;
    pid_t daemon = 0;  // that goes on
};

bool exists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

void remove_path(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) throw denied("remove", path, errno);
}

// Without systemd, as in the image of a machine that is down: the links are all that counts.
void remove_links(boot_scope scope, const std::vector<std::string>& units) {
    for (const auto& unit : units)
        remove_path(wants_link(scope, unit));
}

// A socket that stayed would start a service that is gone. Its daemon keeps the socket until it ends.
bool leave_systemd(const invocation& call, boot_scope scope, const std::vector<std::string>& units) {
    std::vector<std::string> words{"disable"};
    words.insert(words.end(), units.begin(), units.end());
    systemctl_or_fail(scope, words);
    const bool stops = call.has("now");
    words = {"stop"};
    for (const auto& unit : units)
        if (stops || unit.ends_with(".socket")) words.push_back(unit);
    if (words.size() > 1) systemctl_or_fail(scope, words);
    return stops;
}

void remove_files(const invocation& call, boot_scope scope, const std::vector<std::string>& units,
                  disabled& done) {
    for (const auto& unit : units) {
        const std::string path = unit_directory(scope) + "/" + unit;
        const auto found = read_unit(path);
        if (found && found->writer != written_by::us && !call.has("force")) {
            done.kept.push_back(path);
        } else {
            remove_path(path);
            done.removed.push_back(path);
        }
        if (const std::string more = path + ".d"; exists(more)) done.kept.push_back(more);
    }
}

void print_result(const invocation& call, const lifecycle::instance& where, const disabled& done) {
    if (call.global.json) {
        util::json_array removed, kept;
        for (const auto& path : done.removed)
            removed.add(path);
        for (const auto& path : done.kept)
            kept.add(path);
        util::json_object result;
        result.add("instance", where.key)
            .add("removed", removed)
            .add("kept", kept)
            .add("stopped", done.stopped);
        print(std::move(result).text() + "\n");
        return;
    }
    if (call.global.quiet) return;
    const bool utf8 = out_terminal().utf8;
    if (done.removed.empty() && done.kept.empty()) {
        print("it was not enabled\n");
        return;
    }
    for (const auto& path : done.removed)
        print(fmt::format("removed  {}\n", printable(path, utf8)));
    for (const auto& path : done.kept)
        print(fmt::format("kept     {}: made by hand\n", printable(path, utf8)));
    print("disabled: the daemon starts with the first command that needs it\n");
    if (done.daemon > 0)
        print(fmt::format("the daemon (pid {}) goes on, hob shutdown ends it\n", done.daemon));
}

exit_code run_disable(invocation& call) {
    const boot_scope scope = scope_of(call);
    const lifecycle::instance& where = call.where();
    std::vector<std::string> units;
    for (const auto& unit : unit_names(where))
        if (exists(unit_directory(scope) + "/" + unit) || exists(wants_link(scope, unit)))
            units.push_back(unit);
    disabled done;
    if (!units.empty()) {
        if (scope == boot_scope::system && ::geteuid() != 0)
            throw failure(error_kind::denied, cannot("disable", where.root),
                          "only root removes units of the system", "use sudo");
        const bool runs = systemd_runs(scope);
        if (runs) {
            done.stopped = leave_systemd(call, scope, units);
        } else {
            remove_links(scope, units);
        }
        remove_files(call, scope, units, done);
        if (runs) systemctl_or_fail(scope, {"daemon-reload"});
    }
    const auto lock = lifecycle::query_lock(where.pid_path());
    if (scope == boot_scope::user && lock.state == lifecycle::lock_state::held) done.daemon = lock.pid;
    print_result(call, where, done);
    return exit_code::done;
}

constexpr option_row options[] = {
    {"now", "", "also end the daemon that systemd has started"},
    {"force,f", "", "remove unit files that were changed by hand, too"},
    {"system", "", "the units of the system instead of the user's own"},
};

}  // namespace

extern constinit const command disable_command;
constinit const command disable_command{
    .name = "disable",
    .summary = "undo hob enable",
    .usage = "",
    .description =
        "Removes what `hob enable` has written for this project. A daemon that runs\n"
        "goes on without --now, and other daemons still start when a command needs\n"
        "them. What was accepted stays accepted.",
    .need = daemon_need::looking,
    .options = options,
    .run = run_disable,
};

}  // namespace hob::cmd
