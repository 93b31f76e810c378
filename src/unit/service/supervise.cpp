// How a service is kept up.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "unit/process/on_failure.hpp"
#include "unit/service/service_process.hpp"
#include "util/duration.hpp"
#include "util/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;

asio::awaitable<void> service::supervise() {
    const auto alive = self();
    while (desired_up() && !context_->closing) {
        co_await wait_for_dependencies();
        if (!desired_up()) break;
        restart_requested_ = start_requested_ = false;
        const process_end last = co_await run_process();
        if (!desired_up()) break;
        restart_requested_ = false;
        if (last.requested || start_requested_) continue;
        if (!should_restart(last)) {
            give_up(last);
            co_return;
        }
        co_await back_off();
    }
    supervision_ = supervision::none;
    set_state(unit_state::stopped);
    changes().ring();  // the state is the same if it was never started
}

void service::start_dependencies_once() {
    if (!std::exchange(dependencies_started_, true)) start_dependencies(caller_environment_);
}

// A dependency that ends after it was started is waited for, not started again.
asio::awaitable<void> service::wait_for_dependencies() {
    start_dependencies_once();
    while (const auto dependency = first_unready_dependency()) {
        set_state(unit_state::waiting);
        set_detail(fmt::format(
            "it waits for '{}', which {}", dependency->spec().name,
            dependency->failed() ? "failed" : fmt::format("is {}", name_of(dependency->state()))));
        co_await util::first_of(dependency->changes().wait(), request_.wait());
        if (!desired_up()) co_return;
        start_dependencies_once();
    }
}

bool service::should_restart(const process_end& last) {
    const auto& settings = std::get<service_spec>(spec_->detail);
    if (last.failed) ++failures_;
    const bool by_policy = settings.restart == restart_policy::always ||
                           (settings.restart == restart_policy::on_failure && last.failed);
    return by_policy && (settings.max_restarts == 0 || restarts_in_a_row_ < settings.max_restarts);
}

asio::awaitable<void> service::back_off() {
    const auto& limits = std::get<service_spec>(spec_->detail).backoff;
    backoff_ = restarts_in_a_row_ == 0 ? limits.min : std::min(backoff_ * 2, limits.max);
    ++restarts_in_a_row_;
    detail_ = fmt::format("{}; tried again in {}", detail_, util::format_duration(backoff_));
    set_state(unit_state::backoff);
    const auto first = co_await util::first_of(util::pause(backoff_), request_.wait());
    if (first == 0) ++restarts_;
}

void service::give_up(const process_end& last) {
    supervision_ = supervision::none;
    const auto& settings = std::get<service_spec>(spec_->detail);
    if (!last.failed) {
        context_->options.db.clear_desired_up(spec_->name);
        set_state(unit_state::stopped);
        return;
    }
    if (settings.max_restarts > 0 && settings.restart != restart_policy::never) {
        detail_ = fmt::format("{}; restarted {} {} in a row, which is the limit", last.reason,
                              restarts_in_a_row_, restarts_in_a_row_ == 1 ? "time" : "times");
    }
    util::log(util::level::error, "unit", "service failed",
              {field("unit", spec_->name), field("reason", detail_)});
    set_state(unit_state::failed);
    std::vector<std::string> variables;
    try {
        variables = context_->environment_of(*spec_, caller_environment_);
    } catch (const failure&) {
        return;  // its env_file is the reason, and already reported
    }
    run_on_failure(context_->options.executor, *spec_, std::move(variables), detail_, log_.tail());
}

}  // namespace hob::unit
