// The shutdown of a daemon, step by step, within its shutdown_timeout.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "identity.hpp"
#include "ipc/message.hpp"
#include "lifecycle/daemon_resources.hpp"
#include "lifecycle/start_keeper.hpp"
#include "limits.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::lifecycle {
namespace {

using util::field;
using util::level;

constexpr const char* channel = "lifecycle";

// Logs how long a step took.
class step {
public:
    explicit step(const char* name) : name_(name), began_(std::chrono::steady_clock::now()) {}
    ~step() {
        const auto took = std::chrono::steady_clock::now() - began_;
        util::log(level::info, channel, "shutdown step",
                  {field("step", name_),
                   field("ms", std::chrono::duration_cast<std::chrono::milliseconds>(took).count())});
    }
    step(const step&) = delete;
    step& operator=(const step&) = delete;

private:
    const char* name_;
    std::chrono::steady_clock::time_point began_;
};

}  // namespace

void daemon::begin_shutdown(shutdown_mode mode, const std::string& reason) {
    if (draining()) {
        if (mode == shutdown_mode::now && phase_ == phase::draining) {
            phase_ = phase::draining_now;
            util::log(level::warning, channel, "shutdown hurried", {field("reason", reason)});
            server_->cancel_all();
            application_->kill();
        }
        return;
    }
    phase_ = mode == shutdown_mode::now ? phase::draining_now : phase::draining;
    give_up_handover();
    util::log(level::info, channel, "daemon shutting down", {field("reason", reason)});
    resources_->state_lock.mark_draining();
    if (keeper_) {
        keeper_->say(keeper::message_kind::ending);
        keeper_->drop(socket_key);
    }
    options_.manager.stopping(reason, shutdown_budget() + limits::reap_timeout);
    resources_->watchdog_timer.cancel();
    stop_listening();
    write_page();
    server_->announce(hello_line());
    publish("daemon.draining", "{}");
    resources_->idle_timer.cancel();
    resources_->runtime_files_watch->stop();
    util::spawn(executor(), shut_down(), "shutdown");
}

std::chrono::milliseconds daemon::shutdown_budget() const {
    const std::chrono::milliseconds configured = application_->daemon_config().shutdown_timeout;
    return std::min(configured, options_.shutdown_max.value_or(configured));
}

// At once, so that a client that connects from here on finds either a draining daemon or none. Who connects
// to a socket of the service manager would start the next daemon: such clients are greeted by this one to the
// end.
void daemon::stop_listening() {
    if (resources_->socket_is_handed) return;
    server_->stop_accepting();
    if (identity_of(options_.where.socket_path()) == resources_->socket) {
        options_.lock.unlink_guarded(options_.where.pid_path(), options_.where.socket_path());
    }
}

boost::asio::awaitable<void> daemon::shut_down() {
    const auto budget = shutdown_budget();
    const auto limit = util::deadline::in(budget);
    if (phase_ == phase::draining) co_await finish_requests(budget / 2);
    server_->cancel_all();
    co_await stop_application(limit.remaining());
    tell_how_it_ended();
    {
        const step timed("last replies");
        co_await util::within(std::min(limit.remaining(), limits::farewell_timeout), server_->idle());
        server_->stop_accepting();
        server_->close_all();
    }
    remove_files();
    util::log(level::info, channel, "daemon ended",
              {field("pid", ::getpid()), field("uptime_ms", uptime().count())});
    resources_->signals.cancel();
    phase_ = phase::ended;
}

boost::asio::awaitable<void> daemon::finish_requests(std::chrono::milliseconds limit) {
    const step timed("finish requests");
    const auto end = util::deadline::in(limit);
    // Requests can start work, and its end is reported to clients: wait for both.
    const bool quiet = co_await util::within(end.remaining(), application_->drain());
    const bool finished = co_await util::within(end.remaining(), server_->idle());
    if (!quiet) util::log(level::warning, channel, "runs in flight are cancelled");
    if (!finished) {
        util::log(level::warning, channel, "requests in flight are cancelled",
                  {field("count", server_->in_flight()), field("waited_ms", limit.count())});
    }
}

boost::asio::awaitable<void> daemon::stop_application(std::chrono::milliseconds limit) {
    const step timed("stop units");
    // Keeps the last part of the time for SIGKILL and for the exits after it.
    const auto reserve = std::min<std::chrono::milliseconds>(limits::reap_timeout, limit / 4);
    if (phase_ == phase::draining_now) application_->kill();
    const bool stopped = co_await util::within(limit - reserve, application_->stop());
    if (stopped) co_return;
    application_->kill();
    const bool gone = co_await util::within(reserve, application_->stop());
    if (!gone) util::log(level::error, channel, "some units could not be ended in time");
}

// Whoever asked for the shutdown has its reply already, and waits for the end of the process.
void daemon::tell_how_it_ended() {
    const std::string units = application_->ended_badly_json();
    if (units.empty()) return;
    util::json_object params;
    params.add("units", util::raw_json{units});
    server_->announce(ipc::notification_line(this_program.methods.farewell, std::move(params).text()));
}

void daemon::remove_files() {
    const instance& where = options_.where;
    if (resources_->socket && !resources_->socket_is_handed &&
        identity_of(where.socket_path()) == resources_->socket) {
        options_.lock.unlink_guarded(where.pid_path(), where.socket_path());
    }
    options_.lock.unlink_guarded(where.pid_path(), where.page_path());
    resources_->state_lock.unmark();
    if (keeper_) keeper_->say(keeper::message_kind::release);
    if (is_replaced_) return;
    // Last: the lock is still held, so no successor can have made a new pid file.
    options_.lock.unlink_guarded(where.pid_path(), where.pid_path());
}

}  // namespace hob::lifecycle
