// Of a worker: its calls and its phase. Its life is in worker_life.cpp.
#include "unit/worker.hpp"

#include <fmt/format.h>

#include <utility>

#include "unit/worker_life.hpp"
#include "util/duration.hpp"

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

struct counted {
    std::size_t& count;
    explicit counted(std::size_t& of) : count(of) { ++count; }
    ~counted() { --count; }
    counted(const counted&) = delete;
    counted& operator=(const counted&) = delete;
};

}  // namespace

worker::worker(std::shared_ptr<unit_context> context, unit_spec spec)
    : supervised(std::move(context), std::move(spec), name_of_phase(phase::cold)),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files),
      settled_(context_->options.executor),
      held_(context_->options.db.held(spec_->name)) {
    settled_.set();
}

worker::~worker() = default;

std::shared_ptr<worker> worker::make(std::shared_ptr<unit_context> context, unit_spec spec) {
    return std::shared_ptr<worker>(new worker(std::move(context), std::move(spec)));
}

unit_status worker::status() const {
    unit_status now = supervised::status();
    now.pid = life_ ? life_->process->pid() : 0;
    now.restarts = restarts_;
    if (last_exit_) now.exit = exit_brief(*last_exit_);
    return now;
}

void worker::set_phase(phase to) {
    phase_ = to;
    if (to == phase::stopping) {
        settled_.clear();
    } else {
        settled_.set();
    }
    enter(name_of_phase(to), life_ ? life_->process->pid() : 0);
}

void worker::check_usable(const char* verb) const {
    const auto protocol = std::get<worker_spec>(spec_->detail).protocol;
    if (protocol != worker_protocol::jsonrpc && protocol != worker_protocol::lines) {
        throw failure(error_kind::unit_failed,
                      fmt::format("cannot {} '{}': workers that speak {} are not run by this version of hob",
                                  verb, spec_->name, name_of(protocol)));
    }
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
        // An end that was not handled yet: what is sent now would be lost.
        if (phase_ == phase::warm && life_->process->poll()) set_phase(phase::stopping);
        if (phase_ == phase::warm) co_return;
        if (phase_ != phase::stopping) {
            if (first_unready()) {
                auto others = await_units(verb, limit);
                co_await std::move(others);
                continue;
            }
            start_process();
            co_return;
        }
        auto settled = settled_.wait();
        const bool in_time = co_await util::within(limit.remaining(), std::move(settled));
        if (!in_time) {
            throw failure(
                error_kind::timeout,
                fmt::format("cannot {} '{}': its predecessor is still stopping", verb, spec_->name));
        }
    }
}

asio::awaitable<std::string> worker::call(std::string method, std::string params_raw,
                                          std::optional<std::chrono::milliseconds> timeout) {
    const auto alive = self();
    const counted here(calls_);
    const auto allowed = timeout.value_or(std::get<worker_spec>(spec_->detail).call_timeout);
    const auto limit = util::deadline::in(allowed);
    auto warm = wait_until_warm("call", limit);
    co_await std::move(warm);
    auto answer =
        call_table::ask(life_->calls, ++last_id_, std::move(method), std::move(params_raw), limit, allowed);
    co_return co_await std::move(answer);
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
    request_stop("its configuration changed");
}

}  // namespace hob::unit
