// The state of a worker. call.cpp has its calls, worker_process.cpp its processes.
#include "unit/worker/worker.hpp"

#include <fmt/format.h>

#include <utility>

#include "unit/process/on_failure.hpp"
#include "unit/worker/worker_process.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

worker::worker(std::shared_ptr<unit_context> context, unit_spec spec)
    : managed_unit(std::move(context), std::move(spec), unit_state::cold),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files, context_->options.executor),
      settled_(context_->options.executor),
      stopped_by_user_(context_->options.db.stopped_by_user(spec_->name)),
      turns_(std::make_shared<call_mutexes>(context_->options.executor)),
      memory_(context_->options.db) {
    settled_.set();
    show_lines_of(log_);
}

worker::~worker() = default;

std::shared_ptr<worker> worker::make(std::shared_ptr<unit_context> context, unit_spec spec) {
    return std::shared_ptr<worker>(new worker(std::move(context), std::move(spec)));
}

unit_status worker::status() const {
    unit_status status = managed_unit::status();
    if (process_) {
        status.pid = process_->main_process->pid();
        status.cgroup = process_->main_process->cgroup();
    }
    status.restarts = restarts_;
    if (last_exit_) status.exit = exit_brief(*last_exit_);
    if (process_) status.detail = process_->main_process->blocked_by();
    if (!activity_.empty()) status.detail = activity_;
    status.port_taken = port_taken_;
    if (process_ && state() == unit_state::starting) add_readiness(status);
    if (process_) process_->main_process->limits().add_to(status);
    return status;
}

void worker::add_readiness(unit_status& status) const {
    const auto& connect = worker_spec_of(process_->spec()).connect;
    const bool connecting = connect && !process_->not_connected.why.empty();
    status.probe = connecting ? "connect" : "handshake";
    status.probe_failure = connecting ? process_->not_connected.why : "its handshake is not over";
    status.port_taken = process_->not_connected.port_taken;
    if (!status.detail.empty()) return;
    status.detail = connecting ? "not connected: " + status.probe_failure : status.probe_failure;
}

void worker::set_state(unit_state to) {
    if (to == unit_state::warm) failure_reported_ = false;
    if (to == unit_state::stopping || to == unit_state::starting) {
        settled_.clear();
    } else {
        settled_.set();
    }
    enter(to, process_ ? process_->main_process->pid() : 0);
}

// Once, until it is warm again: every call may start a worker that has failed.
void worker::call_on_failure(const std::string& reason) {
    if (!spec_->on_failure || context_->closing || std::exchange(failure_reported_, true)) return;
    try {
        auto variables = context_->environment_of(*spec_, caller_environment_);
        run_on_failure(context_->options.executor, *spec_, std::move(variables), reason, log_.tail());
    } catch (const failure& why) {
        util::log(util::level::warning, "unit", "on_failure did not start",
                  {util::field("unit", spec_->name), util::field("reason", why.what())});
    }
}

void worker::check_usable(const char* verb) const {
    if (context_->closing) {
        throw failure(error_kind::cancelled, cannot(verb, spec_->name), "the daemon is shutting down");
    }
    if (stopped_by_user_) {
        throw failure(error_kind::unit_failed, cannot(verb, spec_->name), "it was stopped",
                      fmt::format("hob start {}", spec_->name));
    }
}

asio::awaitable<void> worker::wait_until_warm(const char* verb, util::deadline limit) {
    bool tasks_due = !died_ && has_tasks_before();
    process_ptr started;
    for (;;) {
        check_usable(verb);
        // The process that was started for this has ended before it could be used: another would do the same.
        if (started && started->over() && !process_ && died_) throw death_failure(last_exit_);
        // The process has ended or is about to, which is not handled yet: a request sent now would be lost.
        if (state() == unit_state::warm && (process_->input_closed || process_->main_process->poll()))
            set_state(unit_state::stopping);
        if (state() == unit_state::warm) co_return;
        if (state() != unit_state::stopping && state() != unit_state::starting) {
            if (first_unready_dependency()) {
                co_await await_dependencies(verb, limit);
                continue;
            }
            if (std::exchange(tasks_due, false)) {
                co_await run_tasks_before(verb, limit);
                continue;
            }
            start_process();
            started = process_;
        }
        if (state() == unit_state::warm) co_return;
        co_await wait_for_transition(process_, verb, limit);
    }
}

std::string worker::not_started_yet(const worker_process& process) {
    const std::string blocked = process.main_process->blocked_by();
    return blocked.empty() ? "its handshake is not over yet" : blocked;
}

// Waits until the handshake of `process`, or its end, is over. Throws the failure of the handshake.
asio::awaitable<void> worker::wait_for_transition(process_ptr process, const char* verb,
                                                  util::deadline limit) {
    const bool starting = state() == unit_state::starting;
    auto transition = starting ? process->handshake_done.wait() : settled_.wait();
    const bool in_time = co_await util::within(limit.remaining(), std::move(transition));
    if (starting && process->start_failure) throw failure(*process->start_failure);
    if (in_time) co_return;
    throw failure(
        error_kind::timeout, cannot(verb, spec_->name),
        starting ? not_started_yet(*process) : "its predecessor is still stopping",
        starting ? fmt::format("`hob logs {}` shows what it said meanwhile", spec_->name) : std::string());
}

asio::awaitable<void> worker::start(std::optional<environment> caller) {
    const auto alive = self();
    stopped_by_user_ = false;
    record_desired_state(true, std::nullopt);
    if (caller) caller_environment_ = std::move(caller);
    if (definition_changed()) request_stop("its definition has changed");
    const auto limit = util::deadline::in(spec_->stop.timeout + limits::start_timeout);
    co_await wait_until_warm("start", limit);
}

asio::awaitable<void> worker::stop(bool hold) {
    const auto alive = self();
    if (hold) {
        stopped_by_user_ = true;
        record_desired_state(false, std::nullopt);
    }
    const auto ending = process_;
    request_stop("asked to stop");
    while (ending && process_ == ending) {
        co_await settled_.wait();
    }
    throw_if_left("stop");
}

asio::awaitable<void> worker::restart(std::optional<environment> caller) {
    const auto alive = self();
    // Set it before the stop: a call that comes in between starts the worker, and must do so with this
    // environment.
    if (caller) caller_environment_ = std::move(caller);
    co_await stop(false);
    co_await start(std::nullopt);
}

void worker::record_desired_state(bool up, const std::optional<environment>&) {
    context_->options.db.set_stopped_by_user(spec_->name, !up);
}

void worker::request_start(std::optional<environment> caller) {
    ++starts_requested_;
    util::spawn(context_->options.executor, start_as_requested(std::move(caller)), "start " + spec_->name);
}

asio::awaitable<void> worker::start_as_requested(std::optional<environment> caller) {
    const auto alive = self();
    std::exception_ptr failed;
    try {
        co_await start(std::move(caller));
    } catch (...) {
        failed = std::current_exception();
    }
    --starts_requested_;
    changes().ring();  // for units that wait for it
    if (failed) std::rethrow_exception(failed);
}

void worker::signal(int number, bool whole) {
    if (process_ && process_->main_process && process_->main_process->signal(number, whole)) return;
    throw failure(error_kind::unit_failed, cannot("signal", spec_->name),
                  fmt::format("it has no process: it is {}", name_of(state())), "hob start " + spec_->name);
}

bool worker::definition_changed() const {
    return process_ && needs_new_process(*process_->definition, *spec_);
}

void worker::reconfigure(unit_spec spec, running_process running) {
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    if (running == running_process::keep && process_) return;
    memory_.bind(*spec_);
    request_stop("its configuration changed");
}

}  // namespace hob::unit
