#include "lifecycle/end_daemon.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <memory>

#include "error.hpp"
#include "identity.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/probe.hpp"
#include "lifecycle/startup_watch.hpp"
#include "limits.hpp"
#include "version.hpp"

namespace hob::lifecycle {
namespace {

failure too_late(const instance& where, pid_t pid) {
    return failure(error_kind::timeout, cannot("wait any longer for the daemon of", where.root, "to end"),
                   pid ? fmt::format("pid {} still runs", pid) : "the deadline is over",
                   command_text("shutdown --now"));
}

// Whether the process has the pid file open: then it is the daemon, whatever its page says.
bool has_open(pid_t pid, const std::string& pid_path) {
    struct stat wanted {};
    if (::stat(pid_path.c_str(), &wanted) != 0) return false;
    const std::string directory = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
    if (!dir) return false;
    while (const dirent* entry = ::readdir(dir.get())) {
        struct stat open {};
        const std::string path = directory + "/" + entry->d_name;
        if (::stat(path.c_str(), &open) == 0 && open.st_dev == wanted.st_dev && open.st_ino == wanted.st_ino)
            return true;
    }
    return false;
}

// A pid is signalled only through a pidfd, and only after the lock and the process itself confirm it: its
// page's start time, or the pid file among its open files.
void kill_confirmed(const instance& where, pid_t pid, util::deadline limit) {
    const util::unique_fd process = open_pidfd(pid);
    const bool confirmed = process && (page_of_holder(where, pid) || has_open(pid, where.pid_path()));
    const lock_view lock = query_lock(where.pid_path());
    if (lock.state != lock_state::held) return;
    // A full disk may have left the pid file empty; what it says instead of nothing must agree.
    if (!confirmed || (lock.pid && lock.pid != pid)) {
        throw failure(error_kind::wedged, cannot("end the daemon of", where.root),
                      fmt::format("pid {} could not be confirmed to be it", pid));
    }
    if (::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) != 0 && errno != ESRCH) {
        throw denied("end", "pid " + std::to_string(pid), errno);
    }
    if (!wait_for_exit(process.get(), limit)) throw too_late(where, pid);
}

class ender {
public:
    ender(const instance& where, const end_options& options) : where_(where), options_(options) {}

    std::optional<pid_t> end() {
        for (;;) {
            if (options_.limit.expired() && asked_) throw too_late(where_, ended_.value_or(0));
            probe_result found = probe(where_, options_.limit);
            if (ended_ && found.seen != daemon_state::dead && found.pid != *ended_)
                return gone();  // a successor
            switch (found.seen) {
                case daemon_state::dead:
                    return gone();
                case daemon_state::alive:
                case daemon_state::draining:
                    if (found.connection) {
                        ask(*found.connection);
                    } else {
                        await(found.pid);
                    }
                    break;
                case daemon_state::starting:
                    await(0);
                    break;
                case daemon_state::wedged:
                    if (!options_.now) throw *found.why;
                    ended_ = found.pid;
                    kill_confirmed(where_, found.pid,
                                   options_.limit.earlier(util::deadline::in(limits::reap_timeout)));
                    break;
                case daemon_state::denied:
                case daemon_state::foreign:
                    throw *found.why;
            }
        }
    }

private:
    void ask(ipc::client& connection) {
        const auto& greeting = connection.greeting();
        if (greeting.protocol > protocol_version) {
            throw failure(error_kind::version, cannot("end the daemon of", where_.root),
                          fmt::format("it is newer (version {}) than this {} (version {})", greeting.version,
                                      this_program.name, version_text),
                          fmt::format("use the newer {}", this_program.name));
        }
        const pid_t pid = connection.peer_pid();
        const util::unique_fd process = open_pidfd(pid);
        asked_ = true;
        try {
            connection.call(this_program.methods.shutdown,
                            ipc::shutdown_params({.now = options_.now, .restart = options_.restart}),
                            options_.limit.earlier(util::deadline::in(limits::request_timeout)));
        } catch (const ipc::not_executed&) {
            // It was on its way out already.
        } catch (const failure& why) {
            if (why.kind() != error_kind::no_daemon) throw;
        }
        ended_ = pid;
        if (process && !wait_for_exit(process.get(), options_.limit)) throw too_late(where_, pid);
    }

    // The lock is free a moment before the process that held it has ended.
    std::optional<pid_t> gone() {
        if (process_ && !wait_for_exit(process_.get(), options_.limit)) throw too_late(where_, *ended_);
        return ended_;
    }

    void await(pid_t pid) {
        asked_ = true;
        if (pid && ended_ != pid) {
            ended_ = pid;
            process_ = open_pidfd(pid);
        }
        if (!watch_) {
            watch_.emplace(where_.runtime_dir);
            return;  // looked at once more before the first wait
        }
        watch_->wait(options_.limit);
    }

    const instance& where_;
    const end_options& options_;
    std::optional<pid_t> ended_;
    util::unique_fd process_;  // of ended_, where it was only waited for
    std::optional<startup_watch> watch_;
    bool asked_ = false;
};

}  // namespace

std::optional<pid_t> end_daemon(const instance& where, const end_options& options) {
    return ender(where, options).end();
}

}  // namespace hob::lifecycle
