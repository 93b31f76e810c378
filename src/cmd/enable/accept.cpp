#include "cmd/enable/accept.hpp"

#include <fmt/format.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <set>

#include "cmd/core/command.hpp"
#include "cmd/handlers/handler_context.hpp"
#include "error.hpp"
#include "ipc/client.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/pid_lock.hpp"
#include "lifecycle/state_lock.hpp"
#include "limits.hpp"
#include "unit/process/caller.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/store/consent_store.hpp"
#include "unit/store/reader.hpp"
#include "unit/store/store.hpp"
#include "util/fd.hpp"

namespace hob::cmd {
namespace {

using lifecycle::instance;

bool exists(const std::string& path) {
    struct stat found {};
    return ::stat(path.c_str(), &found) == 0;
}

// Holds the instance while no daemon lives. Where a runtime directory cannot be, before the user's login, no
// daemon can be reached, and the lock on the state directory is enough.
class held_instance {
public:
    held_instance(const instance& where, util::deadline limit) : where_(where) {
        if (exists(where.runtime_dir.substr(0, where.runtime_dir.rfind('/')))) {
            lifecycle::check_runtime_dir(where.runtime_dir, true);
            lock_ = lifecycle::instance_lock::try_take(where.pid_path());
            if (!lock_)
                throw failure(error_kind::no_daemon, cannot("enable", where.root),
                              "a daemon starts or ends at this moment", "run the command again");
        }
        try {
            lifecycle::make_state_dir(where);
            state_ = lifecycle::state_lock::take(where, limit);
        } catch (const failure&) {
            release();
            throw;
        }
    }
    ~held_instance() { release(); }
    held_instance(const held_instance&) = delete;
    held_instance& operator=(const held_instance&) = delete;

private:
    void release() {
        state_.unmark();
        if (lock_) lock_->unlink_guarded(where_.pid_path(), where_.pid_path());
    }

    const instance& where_;
    std::optional<lifecycle::instance_lock> lock_;
    lifecycle::state_lock state_;
};

void accept_without_daemon(const instance& where, const unit::config& config, util::deadline limit) {
    const held_instance held(where, limit);
    if (!exists(where.root_path())) util::replace_file(where.root_path(), where.root + "\n");
    unit::store db(where.database_path());
    if (db.degraded())
        throw failure(error_kind::denied, cannot("write", where.database_path()), *db.degraded());
    unit::consent_store(db).add(unit::consents_to(config));
}

// In the child: 0, or 1 with the failure written.
int accept_in_child(const account& user, const instance& where, const unit::config& config,
                    util::deadline limit, int outcome) {
    try {
        if (::setgroups(1, &user.gid) != 0 || ::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)
            throw denied("become", user.name, errno);
        ::setenv("HOME", user.home.c_str(), 1);
        accept_units(where, config, limit);
        return 0;
    } catch (const std::exception& error) {
        util::write_all(outcome, error.what());
        return 1;
    }
}

}  // namespace

void accept_units(const instance& where, const unit::config& config, util::deadline limit) {
    if (unit::is_inside_unit(::getpid()))
        throw failure(error_kind::consent_needed, cannot("enable", where.root),
                      "a process of a unit cannot accept units", "run the command in a shell of your own");
    auto daemon = lifecycle::connect_looking(where, limit);
    if (!daemon) return accept_without_daemon(where, config, limit);
    try {
        daemon->call("unit.accept", "{}", limit);
    } catch (const ipc::not_executed&) {
        throw failure(error_kind::no_daemon, cannot("enable", where.root), "its daemon is shutting down",
                      "run the command again");
    }
}

void accept_units_as(const account& user, const instance& where, const unit::config& config,
                     util::deadline limit) {
    if (user.uid == ::geteuid()) return accept_units(where, config, limit);
    util::pipe_ends outcome = util::make_pipe();
    const pid_t child = ::fork();
    if (child < 0) throw denied("start", "a process", errno);
    if (child == 0) ::_exit(accept_in_child(user, where, config, limit, outcome.write.get()));
    outcome.write.reset();
    std::string reason;
    char chunk[1024];
    for (ssize_t n = 0;
         (n = ::read(outcome.read.get(), chunk, sizeof chunk)) > 0 || (n < 0 && errno == EINTR);)
        if (n > 0) reason.append(chunk, static_cast<std::size_t>(n));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw failure(error_kind::denied, cannot("accept the units as", user.name),
                      reason.empty() ? "the process ended without a word" : reason);
}

std::vector<std::string> running_by_themselves(const instance& where, const unit::config& config) {
    std::set<std::string> wanted;
    try {
        for (auto& unit : unit::read_desired_up(where.database_path()))
            wanted.insert(std::move(unit));
    } catch (const failure&) {  // the daemon reports a database that cannot be read
    }
    std::vector<std::string> names;
    for (const auto& spec : config.units) {
        const bool resumed =
            spec.kind == unit::unit_kind::service && spec.enabled && wanted.contains(spec.name);
        if (resumed || unit::starts_by_itself(spec)) names.push_back(spec.name);
    }
    return names;
}

}  // namespace hob::cmd
