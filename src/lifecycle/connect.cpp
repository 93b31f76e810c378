#include "lifecycle/connect.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "error.hpp"
#include "identity.hpp"
#include "ipc/hello.hpp"
#include "lifecycle/probe.hpp"
#include "lifecycle/spawn.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/state_lock.hpp"
#include "lifecycle/startup_watch.hpp"
#include "limits.hpp"
#include "util/duration.hpp"
#include "util/process_handle.hpp"
#include "version.hpp"

namespace hob::lifecycle {

std::chrono::milliseconds start_timeout() {
    const char* const variable = this_program.variables.start_timeout;
    const char* text = std::getenv(variable);
    if (!text || !*text) return limits::start_timeout;
    const auto parsed = util::parse_duration(text);
    if (!parsed) {
        throw failure(error_kind::config, cannot(std::string("use ") + variable, text), "not a duration",
                      "such as 10s");
    }
    return *parsed;
}

namespace {

// Finds the daemon for one acting client: probes, waits for a start or an end, starts one.
class connector {
public:
    connector(const instance& where, const connect_options& options)
        : where_(where),
          options_(options),
          began_(boot_milliseconds()),
          start_limit_(util::deadline::in(start_timeout()).earlier(options.limit)),
          patience_(util::deadline::in(limits::start_patience)) {}

    ipc::client connect() {
        if (options_.limit.expired()) {
            throw failure(error_kind::timeout, cannot("reach the daemon of", where_.root),
                          "the deadline is over");
        }
        for (;;) {
            probe_result found = probe(where_, options_.limit, limits::greeting_timeout, options_.early,
                                       options_.spawn ? first_look::socket : first_look::lock);
            if (found.hung_up) report_failed_start();
            switch (found.state) {
                case daemon_state::alive:
                    if (speaks_with_us(*found.connection)) return std::move(*found.connection);
                    replace_older(*found.connection);
                    break;
                case daemon_state::dead:
                    // A service manager may start the next one for the next connection.
                    if (!found.hung_up || ++hang_ups_ > limits::hang_ups_max) start();
                    break;
                case daemon_state::starting:
                    wait_for_start(found);
                    break;
                case daemon_state::draining:
                    wait_for_end(found);
                    break;
                case daemon_state::orphaned:
                    if (!options_.release_brake) throw *found.problem;
                    lifecycle::release_brake(where_);
                    wait_for_start(found);
                    break;
                case daemon_state::wedged:
                case daemon_state::denied:
                case daemon_state::foreign:
                    // A service manager that listens takes its time to start the daemon.
                    if (!found.silent || start_limit_.expired()) refuse(found);
                    report_once(0, "start");
            }
        }
    }

private:
    static std::string compared(const char* age, const ipc::hello& daemon) {
        return fmt::format("it is {} (version {}, protocol {}) than this {} (version {}, protocol {})", age,
                           daemon.version, daemon.protocol, this_program.name, version_text,
                           protocol_version);
    }

    bool speaks_with_us(const ipc::client& connection) const {
        const auto& greeting = connection.greeting();
        if (greeting.protocol == protocol_version) return true;
        if (greeting.protocol < protocol_version) return false;
        throw failure(error_kind::version, cannot("talk to the daemon of", where_.root),
                      compared("newer", greeting),
                      fmt::format("use the newer {}, or end the daemon with: {}", this_program.name,
                                  command_text("shutdown")));
    }

    // Uses frozen messages only. A busy daemon is not replaced.
    void replace_older(ipc::client& connection) {
        const auto& greeting = connection.greeting();
        const pid_t pid = connection.peer_pid();
        const util::process_handle process(pid);
        const failure busy(error_kind::version, cannot("use the daemon of", where_.root),
                           compared("older", greeting) + " and busy", command_text("restart --daemon"));
        if (!options_.spawn) throw busy;
        // A service manager starts the program that its unit names.
        if (std::exchange(replaced_, true))
            throw failure(error_kind::version, cannot("use the daemon of", where_.root),
                          compared("older", greeting) + ", and so was the one before",
                          fmt::format("what starts it executes another program; if that is systemd: {}",
                                      command_text("enable")));
        try {
            connection.call(this_program.methods.shutdown, ipc::shutdown_params({.if_idle = true}),
                            options_.limit.earlier(util::deadline::in(limits::request_timeout)));
        } catch (const ipc::not_executed&) {
            return;
        } catch (const failure& why) {
            if (why.kind() == error_kind::version) throw busy;
            throw;
        }
        const auto limit = options_.limit.earlier(util::deadline::in(limits::shutdown_timeout_max));
        if (process && !process.wait(limit)) {
            throw failure(error_kind::timeout, cannot("wait any longer for the older daemon to end"),
                          fmt::format("pid {} still runs", pid));
        }
    }

    // The failure of a start that has failed since this client began.
    std::optional<failure> failed_start() const {
        const auto last = read_start_failure(where_);
        if (!last || last->at < began_) return std::nullopt;
        return failure(last->kind, last->message, last->hint);
    }

    // A service manager has started the daemon for this client, and it failed.
    void report_failed_start() const {
        if (const auto last = failed_start()) throw *last;
    }

    void start() {
        if (!options_.spawn) {
            throw failure(error_kind::no_daemon, cannot("reach the daemon of", where_.root),
                          "none is running", "without --no-spawn it is started");
        }
        check_runtime_dir(where_.runtime_dir, true);
        auto lock = instance_lock::try_take(where_.pid_path());
        if (!lock) {
            waited_ = true;
            wait_for_change();
            return;
        }
        // The client that held the lock while we waited may have failed to start the daemon. Its failure is
        // then ours too, so that many clients make one failed start.
        if (waited_) {
            if (const auto last = failed_start()) {
                lock->unlink_guarded(where_.pid_path(), where_.pid_path());
                throw *last;
            }
        }
        if (options_.release_brake) {
            lifecycle::release_brake(where_);
        } else if (auto loop = crash_loop(where_)) {
            lock->unlink_guarded(where_.pid_path(), where_.pid_path());
            throw *loop;
        }
        if (spawn_daemon(where_, std::move(*lock), start_limit_, options_.on_wait)) return;
        // Something removed the pid file, as a cleaner of /tmp does. That daemon has ended and served nobody:
        // try again, but report it if it happens again and again.
        if (++lost_starts_ >= limits::lost_starts_max || start_limit_.expired())
            throw pid_file_lost(where_.pid_path());
    }

    void wait_for_start(const probe_result& found) {
        waited_ = true;
        if (start_limit_.expired()) {
            const std::string process = found.pid ? fmt::format("pid {}", found.pid) : "it";
            throw failure(error_kind::timeout, cannot("wait any longer for the daemon of", where_.root),
                          process + " is still starting", "its log is " + where_.daemon_log_path());
        }
        report_once(found.pid, "start");
        wait_for_change();
    }

    void wait_for_end(const probe_result& found) {
        if (!drain_limit_) {
            const auto page = found.page ? found.page : page_of_holder(where_, found.pid);
            const std::chrono::milliseconds allowed(page ? page->shutdown_timeout_ms
                                                         : limits::shutdown_timeout_max.count());
            drain_limit_ = util::deadline::in(allowed + limits::reap_timeout).earlier(options_.limit);
        }
        if (drain_limit_->expired()) {
            throw failure(error_kind::timeout,
                          cannot("wait any longer for the daemon of", where_.root, "to end"),
                          fmt::format("pid {} still runs", found.pid));
        }
        if (!options_.spawn) {
            throw failure(error_kind::no_daemon, cannot("reach the daemon of", where_.root),
                          "it is shutting down");
        }
        report_once(found.pid, "end");
        const util::process_handle process(found.pid);
        if (!process) {
            wait_for_change();
        } else if (found.connection) {
            process.wait(*drain_limit_);
        } else {
            // Only a hang-up or the page says that it drains: probe again soon, in case that is wrong.
            process.wait(drain_limit_->earlier(util::deadline::in(limits::look_again)));
        }
        // The start of its successor gets the whole start_timeout.
        start_limit_ = util::deadline::in(start_timeout()).earlier(options_.limit);
    }

    [[noreturn]] void refuse(const probe_result& found) {
        if (found.state == daemon_state::wedged && options_.limit.expired()) {
            throw failure(error_kind::timeout, found.problem->what(), found.problem->hint());
        }
        throw *found.problem;
    }

    void wait_for_change() {
        if (start_limit_.expired()) {
            throw failure(error_kind::timeout, cannot("take the lock", where_.pid_path()),
                          "something else holds it");
        }
        if (!watch_) {
            watch_.emplace(where_.runtime_dir);
            return;  // probe once more before the first wait: earlier changes are not reported
        }
        watch_->wait(start_limit_);
    }

    void report_once(pid_t pid, const char* what) {
        if (reported_ || !options_.on_wait || !patience_.expired()) return;
        reported_ = true;
        options_.on_wait(fmt::format("waiting for the daemon of '{}' to {}{}", where_.root, what,
                                     pid ? fmt::format(" (pid {})", pid) : ""));
    }

    const instance& where_;
    const connect_options& options_;
    std::int64_t began_;
    util::deadline start_limit_;
    util::deadline patience_;
    std::optional<util::deadline> drain_limit_;
    std::optional<startup_watch> watch_;
    int lost_starts_ = 0;    // starts that lost their pid file
    int hang_ups_ = 0;       // of servers that did not greet, while no daemon lived
    bool replaced_ = false;  // an older daemon
    bool waited_ = false;
    bool reported_ = false;
};

}  // namespace

ipc::client connect_acting(const instance& where, const connect_options& options) {
    return connector(where, options).connect();
}

std::optional<ipc::client> connect_looking(const instance& where, util::deadline limit) {
    probe_result found = probe(where, limit);
    switch (found.state) {
        case daemon_state::alive:
            return std::move(found.connection);
        case daemon_state::draining:
            if (found.connection) return std::move(found.connection);
            throw failure(error_kind::no_daemon, cannot("ask the daemon of", where.root),
                          "it is shutting down");
        case daemon_state::starting:
            throw failure(error_kind::no_daemon, cannot("ask the daemon of", where.root),
                          "it is still starting", "its log is " + where.daemon_log_path());
        case daemon_state::dead:
            return std::nullopt;
        case daemon_state::wedged:
            if (limit.expired())
                throw failure(error_kind::timeout, found.problem->what(), found.problem->hint());
            break;
        case daemon_state::orphaned:
        case daemon_state::denied:
        case daemon_state::foreign:
            break;
    }
    throw *found.problem;
}

}  // namespace hob::lifecycle
