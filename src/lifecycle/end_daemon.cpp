#include "lifecycle/end_daemon.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include "error.hpp"
#include "identity.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/probe.hpp"
#include "lifecycle/startup_watch.hpp"
#include "lifecycle/state_lock.hpp"
#include "limits.hpp"
#include "util/json/json_edit.hpp"
#include "util/proc.hpp"
#include "util/process_handle.hpp"
#include "version.hpp"

namespace hob::lifecycle {
namespace {

failure too_late(const instance& where, pid_t pid) {
    return failure(error_kind::timeout, cannot("wait any longer for the daemon of", where.root, "to end"),
                   pid ? fmt::format("pid {} still runs", pid) : "the deadline is over",
                   command_text("shutdown --now"));
}

// Kills a wedged daemon once the lock is held and the process is confirmed to be the daemon:
// by the start time in its page, or because it has the pid file open.
void kill_confirmed(const instance& where, pid_t pid, util::deadline limit) {
    const util::process_handle process(pid);
    const bool confirmed = process && (page_of_holder(where, pid) || has_open(pid, where.pid_path()));
    const lock_view lock = query_lock(where.pid_path());
    if (lock.state != lock_state::held) return;
    // The pid file is empty after a start on a full disk. If it names a pid, that must be the same.
    if (!confirmed || (lock.pid && lock.pid != pid)) {
        throw failure(error_kind::wedged, cannot("end the daemon of", where.root),
                      fmt::format("pid {} could not be confirmed to be it", pid));
    }
    if (!process.signal(SIGKILL) && errno != ESRCH) {
        throw denied("end", "pid " + std::to_string(pid), errno);
    }
    if (!process.wait(limit)) throw too_late(where, pid);
}

class daemon_ender {
public:
    daemon_ender(const instance& where, const end_options& options) : where_(where), options_(options) {}

    ended_daemon end() {
        for (;;) {
            if (options_.limit.expired() && waited_) throw too_late(where_, ended_.value_or(0));
            probe_result found = probe(where_, options_.limit);
            if (ended_ && found.state != daemon_state::dead && found.pid != *ended_)
                return finish();  // a successor
            switch (found.state) {
                case daemon_state::dead:
                    return finish();
                case daemon_state::alive:
                case daemon_state::draining:
                    if (found.connection) {
                        request_shutdown(*found.connection);
                    } else {
                        wait_for_end_of(found.pid);
                    }
                    break;
                case daemon_state::starting:
                    wait_for_end_of(0);
                    break;
                case daemon_state::wedged:
                    if (!options_.now) throw *found.problem;
                    kill_confirmed(where_, found.pid,
                                   options_.limit.earlier(util::deadline::in(limits::reap_timeout)));
                    // Its keeper starts another one, which is asked to end in its turn.
                    killed_ = found.pid;
                    waited_ = true;
                    break;
                case daemon_state::orphaned:
                    end_keeper();
                    break;
                case daemon_state::denied:
                case daemon_state::foreign:
                    throw *found.problem;
            }
        }
    }

private:
    void request_shutdown(ipc::client& connection) {
        const auto& greeting = connection.greeting();
        if (greeting.protocol > protocol_version) {
            throw failure(error_kind::version, cannot("end the daemon of", where_.root),
                          fmt::format("it is newer (version {}) than this {} (version {})", greeting.version,
                                      this_program.name, version_text),
                          fmt::format("use the newer {}", this_program.name));
        }
        const pid_t pid = connection.peer_pid();
        const util::process_handle process(pid);
        remember_keeper_of(pid);
        waited_ = true;
        try {
            connection.call(this_program.methods.shutdown,
                            ipc::shutdown_params({.now = options_.now, .restart = options_.restart}),
                            options_.limit.earlier(util::deadline::in(limits::request_timeout)));
        } catch (const ipc::not_executed&) {
            // It was ending already, or it died: then the next one is asked.
            if (!connection.told_of_end()) return died(process, pid);
        } catch (const failure& why) {
            if (why.kind() == error_kind::daemon_lost) return died(process, pid);
            if (why.kind() != error_kind::no_daemon) throw;
        }
        ended_ = pid;
        hear_farewell(connection);
        if (process && !process.wait(options_.limit)) throw too_late(where_, pid);
        if (keeper_ && !keeper_.wait(options_.limit)) throw too_late(where_, pid);
    }

    // Before it took the request. Its keeper may start another one.
    void died(const util::process_handle& process, pid_t pid) {
        killed_ = pid;
        if (process && !process.wait(options_.limit)) throw too_late(where_, pid);
    }

    // It ends what it holds, with SIGTERM first.
    void end_keeper() {
        const auto holder = query_state_lock(where_);
        const pid_t pid = holder ? holder->keeper : 0;
        const util::process_handle keeper(pid);
        if (!keeper || !has_open(pid, where_.pid_path()))
            throw failure(error_kind::crash_loop, cannot("end the daemon of", where_.root),
                          "its keeper could not be found", command_text("daemon") + " starts it again");
        if (!keeper.signal(SIGTERM) && errno != ESRCH) throw denied("end", "pid " + std::to_string(pid), errno);
        waited_ = true;
        killed_ = pid;
        if (!keeper.wait(options_.limit)) throw too_late(where_, pid);
    }

    // The parent of a daemon that has the same pid file open.
    void remember_keeper_of(pid_t daemon) {
        const auto stat = util::read_proc_stat(daemon);
        if (stat && stat->ppid > 0 && has_open(stat->ppid, where_.pid_path()))
            keeper_ = util::process_handle(stat->ppid);
    }

    // Returns when the daemon has closed the connection, or at the deadline.
    void hear_farewell(ipc::client& connection) {
        try {
            while (const auto message = connection.next(options_.limit)) {
                if (message->what == ipc::incoming::kind::notification &&
                    message->method == this_program.methods.farewell)
                    farewell_units_ = util::json_member_of(message->payload, "units");
            }
        } catch (const failure& why) {  // the wait for the process finds the same
            if (why.kind() != error_kind::timeout) throw;
        }
    }

    // The lock is released a moment before the process has ended.
    ended_daemon finish() {
        if (process_ && !process_.wait(options_.limit)) throw too_late(where_, *ended_);
        return {ended_ ? ended_ : killed_, farewell_units_};
    }

    // `pid` 0: not known yet.
    void wait_for_end_of(pid_t pid) {
        waited_ = true;
        if (pid && ended_ != pid) {
            ended_ = pid;
            process_ = util::process_handle(pid);
        }
        if (!watch_) {
            watch_.emplace(where_.runtime_dir);
            return;  // probe once more before the first wait: earlier changes are not reported
        }
        watch_->wait(options_.limit);
    }

    const instance& where_;
    const end_options& options_;
    std::optional<pid_t> ended_;
    std::optional<pid_t> killed_;  // one that was wedged, or died before it was asked
    std::string farewell_units_;
    util::process_handle process_;  // of ended_, if its end was only waited for
    util::process_handle keeper_;   // of ended_
    std::optional<startup_watch> watch_;
    bool waited_ = false;
};

}  // namespace

ended_daemon end_daemon(const instance& where, const end_options& options) {
    return daemon_ender(where, options).end();
}

}  // namespace hob::lifecycle
