// Of a worker: its phase. Its calls are in worker_call.cpp, its life is in worker_life.cpp.
#include "unit/worker/worker.hpp"

#include <fmt/format.h>

#include <utility>

#include "unit/worker/worker_process.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

std::string_view name_of_phase(worker::phase phase) {
    switch (phase) {
        case worker::phase::cold:
            return "cold";
        case worker::phase::starting:
            return "starting";
        case worker::phase::warm:
            return "warm";
        case worker::phase::stopping:
            return "stopping";
        case worker::phase::failed:
            break;
    }
    return "failed";
}

}  // namespace

worker::worker(std::shared_ptr<unit_context> context, unit_spec spec)
    : supervised(std::move(context), std::move(spec), name_of_phase(phase::cold)),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files),
      settled_(context_->options.executor),
      held_(context_->options.db.held(spec_->name)),
      memory_(context_->options.db) {
    settled_.set();
}

worker::~worker() = default;

std::shared_ptr<worker> worker::make(std::shared_ptr<unit_context> context, unit_spec spec) {
    return std::shared_ptr<worker>(new worker(std::move(context), std::move(spec)));
}

unit_status worker::status() const {
    unit_status now = supervised::status();
    if (life_) {
        now.pid = life_->process->pid();
        now.cgroup = life_->process->cgroup();
    }
    now.restarts = restarts_;
    if (last_exit_) now.exit = exit_brief(*last_exit_);
    now.detail = activity_;
    return now;
}

void worker::set_phase(phase to) {
    phase_ = to;
    if (to == phase::stopping || to == phase::starting) {
        settled_.clear();
    } else {
        settled_.set();
    }
    enter(name_of_phase(to), life_ ? life_->process->pid() : 0);
}

void worker::check_usable(const char* verb) const {
    if (context_->closing) {
        throw failure(error_kind::cancelled,
                      fmt::format("cannot {} '{}': the daemon is shutting down", verb, spec_->name));
    }
    if (held_) {
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot {} '{}': it was stopped", verb, spec_->name),
                      fmt::format("hob start {}", spec_->name));
    }
}

asio::awaitable<void> worker::wait_until_warm(const char* verb, util::deadline limit) {
    for (;;) {
        check_usable(verb);
        // An end that was not handled yet, or is near: what is sent now would be lost.
        if (phase_ == phase::warm && (life_->input_closed || life_->process->poll()))
            set_phase(phase::stopping);
        if (phase_ == phase::warm) co_return;
        if (phase_ != phase::stopping && phase_ != phase::starting) {
            if (first_unready()) {
                auto others = await_units(verb, limit);
                co_await std::move(others);
                continue;
            }
            start_process();
        }
        if (phase_ == phase::warm) co_return;
        auto over = wait_for_phase(life_, verb, limit);
        co_await std::move(over);
    }
}

// Until the handshake of `now`, or its end, is over. Throws what the handshake failed of.
asio::awaitable<void> worker::wait_for_phase(std::shared_ptr<life> now, const char* verb,
                                             util::deadline limit) {
    const bool starting = phase_ == phase::starting;
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
    held_ = false;
    record_wish(true, std::nullopt);
    if (caller) caller_environment_ = std::move(caller);
    const auto limit = util::deadline::in(spec_->stop.timeout + limits::start_timeout);
    auto warm = wait_until_warm("start", limit);
    co_await std::move(warm);
}

asio::awaitable<void> worker::stop(bool hold) {
    const auto alive = self();
    if (hold) {
        held_ = true;
        record_wish(false, std::nullopt);
    }
    const auto ending = life_;
    request_stop("asked to stop");
    while (ending && life_ == ending) {
        auto settled = settled_.wait();
        co_await std::move(settled);
    }
}

asio::awaitable<void> worker::restart(std::optional<environment> caller) {
    const auto alive = self();
    // Before the stop: a call that comes in between is to start it as this caller wants it.
    if (caller) caller_environment_ = std::move(caller);
    auto stopped = stop(false);
    co_await std::move(stopped);
    auto started = start(std::nullopt);
    co_await std::move(started);
}

void worker::record_wish(bool up, const std::optional<environment>&) {
    context_->options.db.set_held(spec_->name, !up);
}

void worker::pull(std::optional<environment> caller) {
    util::spawn(context_->options.executor, start(std::move(caller)), "start " + spec_->name);
}

void worker::reconfigure(unit_spec spec) {
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    memory_.bind(*spec_);
    request_stop("its configuration changed");
}

}  // namespace hob::unit
