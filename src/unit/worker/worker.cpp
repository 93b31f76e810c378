// Of a worker: its phase. Its calls are in worker_call.cpp, its life is in worker_life.cpp.
#include "unit/worker/worker.hpp"

#include <fmt/format.h>

#include <utility>

#include "unit/worker/worker_process.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

}  // namespace

worker::worker(std::shared_ptr<unit_context> context, unit_spec spec)
    : managed_unit(std::move(context), std::move(spec), unit_state::cold),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files, context_->options.executor),
      settled_(context_->options.executor),
      stopped_by_user_(context_->options.db.stopped_by_user(spec_->name)),
      memory_(context_->options.db) {
    settled_.set();
}

worker::~worker() = default;

std::shared_ptr<worker> worker::make(std::shared_ptr<unit_context> context, unit_spec spec) {
    return std::shared_ptr<worker>(new worker(std::move(context), std::move(spec)));
}

unit_status worker::status() const {
    unit_status now = managed_unit::status();
    if (process_) {
        now.pid = process_->process->pid();
        now.cgroup = process_->process->cgroup();
    }
    now.restarts = restarts_;
    if (last_exit_) now.exit = exit_brief(*last_exit_);
    now.detail = activity_;
    return now;
}

void worker::set_state(unit_state to) {
    if (to == unit_state::stopping || to == unit_state::starting) {
        settled_.clear();
    } else {
        settled_.set();
    }
    enter(to, process_ ? process_->process->pid() : 0);
}

void worker::check_usable(const char* verb) const {
    if (context_->closing) {
        throw failure(error_kind::cancelled,
                      fmt::format("cannot {} '{}': the daemon is shutting down", verb, spec_->name));
    }
    if (stopped_by_user_) {
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot {} '{}': it was stopped", verb, spec_->name),
                      fmt::format("hob start {}", spec_->name));
    }
}

asio::awaitable<void> worker::wait_until_warm(const char* verb, util::deadline limit) {
    bool tasks_due = !died_ && has_tasks_before();
    for (;;) {
        check_usable(verb);
        // An end that was not handled yet, or is near: what is sent now would be lost.
        if (state() == unit_state::warm && (process_->input_closed || process_->process->poll()))
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
        }
        if (state() == unit_state::warm) co_return;
        co_await wait_for_state(process_, verb, limit);
    }
}

// Until the handshake of `now`, or its end, is over. Throws what the handshake failed of.
asio::awaitable<void> worker::wait_for_state(std::shared_ptr<worker_process> now, const char* verb,
                                             util::deadline limit) {
    const bool starting = state() == unit_state::starting;
    auto over = starting ? now->opened.wait() : settled_.wait();
    const bool in_time = co_await util::within(limit.remaining(), std::move(over));
    if (starting && now->start_failed) throw failure(*now->start_failed);
    if (!in_time) {
        throw failure(
            error_kind::timeout,
            fmt::format("cannot {} '{}': {}", verb, spec_->name,
                        starting ? "its handshake is not over yet" : "its predecessor is still stopping"),
            starting ? fmt::format("`hob logs {}` shows what it said meanwhile", spec_->name)
                     : std::string());
    }
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
}

asio::awaitable<void> worker::restart(std::optional<environment> caller) {
    const auto alive = self();
    // Before the stop: a call that comes in between is to start it as this caller wants it.
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

bool worker::definition_changed() const { return process_ && needs_new_process(*process_->own_spec, *spec_); }

void worker::reconfigure(unit_spec spec, running_process running) {
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    if (running == running_process::keep && process_) return;
    memory_.bind(*spec_);
    request_stop("its configuration changed");
}

}  // namespace hob::unit
