// How a service is kept up.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "unit/process/on_failure.hpp"
#include "unit/service/service_process.hpp"
#include "util/duration.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;

asio::awaitable<void> service::supervise() {
    const auto alive = self();
    if (resumed_pause_) co_await util::first_of(util::pause(*std::exchange(resumed_pause_, {})), request_.wait());
    while (process_ || (desired_up() && !context_->closing)) {
        process_end last;
        if (process_) {
            last = co_await resume_process();
        } else {
            if (!co_await wait_for_dependencies()) co_return;
            if (!desired_up()) break;
            if (tasks_due_ && !co_await run_due_tasks()) co_return;
            co_await context_->turns->next();
            if (!desired_up() || context_->closing) break;
            restart_requested_ = start_requested_ = false;
            last = co_await run_process();
        }
        if (!desired_up()) break;
        restart_requested_ = false;
        if (last.requested || start_requested_) continue;
        if (!should_restart(last)) {
            give_up(last);
            co_return;
        }
        if (restarts_in_a_row_ == limits::crash_loop_restarts) report_crash_loop(last);
        co_await back_off();
        lives_.because(run_trigger::retry, lives_.last_end());
    }
    supervision_ = supervision::none;
    set_state(unit_state::stopped);
    changes().ring();  // the state is the same if it was never started
}

void service::start_dependencies_once() {
    if (!std::exchange(dependencies_started_, true)) start_dependencies(caller_environment_);
}

// A dependency that ends after it was started is waited for, not started again. One that will not be ready
// again does not keep this service from being restarted after a crash.
asio::awaitable<bool> service::wait_for_dependencies() {
    start_dependencies_once();
    while (const auto dependency = first_unready_dependency()) {
        if (is_over(*dependency) && !context_->closing) {
            if (dependencies_met_) co_return true;
            fail_before_launch(waits_for(*dependency), dependency->spec().name);
            co_return false;
        }
        set_state(unit_state::waiting);
        set_detail(waits_for(*dependency));
        co_await util::first_of(dependency->changes().wait(), request_.wait());
        if (!desired_up()) co_return true;
        start_dependencies_once();
    }
    dependencies_met_ = true;
    co_return true;
}

// It stays wanted: the next daemon, or a request, tries again.
void service::fail_before_launch(std::string reason, std::string culprit) {
    ++failures_;
    supervision_ = supervision::none;
    detail_ = std::move(reason);
    culprit_ = std::move(culprit);
    util::log(util::level::error, "unit", "service failed",
              {field("unit", spec_->name), field("reason", detail_)});
    set_state(unit_state::failed);
}

asio::awaitable<bool> service::run_due_tasks() {
    tasks_due_ = false;
    if (!has_tasks_before()) co_return true;
    set_state(unit_state::waiting);
    set_detail("it waits for the tasks in 'after'");
    std::optional<failure> failed;
    try {
        co_await util::first_of(run_tasks_before("start", util::deadline::never()), await_not_desired());
    } catch (const failure& why) {
        failed.emplace(why);
    }
    if (!failed || !desired_up()) co_return true;
    fail_before_launch(failed->reason(),
                       util::json_unquote(util::json_find(failed->detail(), {"unit"})).value_or(""));
    co_return false;
}

asio::awaitable<void> service::await_not_desired() {
    while (desired_up())
        co_await request_.wait();
}

// To have reached max_restarts is a failure, whatever the last exit status.
bool service::should_restart(process_end& last) {
    const auto& settings = std::get<service_spec>(spec_->detail);
    const bool by_policy = settings.restart == restart_policy::always ||
                           (settings.restart == restart_policy::on_failure && last.failed);
    const bool at_limit = settings.max_restarts > 0 && restarts_in_a_row_ >= settings.max_restarts;
    if (by_policy && at_limit) {
        last.failed = true;
        last.reason += fmt::format("; restarted {}, which is the limit", times_in_a_row());
    }
    if (last.failed) ++failures_;
    return by_policy && !at_limit;
}

std::string service::times_in_a_row() const {
    return fmt::format("{} {} in a row", restarts_in_a_row_, restarts_in_a_row_ == 1 ? "time" : "times");
}

asio::awaitable<void> service::back_off() {
    const auto& range = std::get<service_spec>(spec_->detail).backoff;
    backoff_ = restarts_in_a_row_ == 0 ? range.min : std::min(backoff_ * 2, range.max);
    ++restarts_in_a_row_;
    detail_ = fmt::format("{}; tried again in {}", detail_, util::format_duration(backoff_));
    set_state(unit_state::backoff);
    const auto first = co_await util::first_of(util::pause(backoff_), request_.wait());
    if (first == 0) ++restarts_;
}

void service::give_up(const process_end& last) {
    supervision_ = supervision::none;
    if (!last.failed) {
        context_->options.db.clear_desired_up(spec_->name);
        set_state(unit_state::stopped);
        return;
    }
    detail_ = last.reason;
    util::log(util::level::error, "unit", "service failed",
              {field("unit", spec_->name), field("reason", detail_)});
    set_state(unit_state::failed);
    call_on_failure(detail_);
}

// Once a streak. A service that is restarted for ever never fails for good, but somebody has to learn of it.
void service::report_crash_loop(const process_end& last) {
    const std::string reason = fmt::format("crash-loop: {}; restarted {}", last.reason, times_in_a_row());
    util::log(util::level::error, "unit", "service is restarted again and again",
              {field("unit", spec_->name), field("reason", reason)});
    call_on_failure(reason);
}

void service::call_on_failure(const std::string& reason) {
    std::vector<std::string> variables;
    try {
        variables = context_->environment_of(*spec_, caller_environment_);
    } catch (const failure&) {
        return;  // its env_file is the reason, and already reported
    }
    run_on_failure(context_->options.executor, *spec_, std::move(variables), reason, log_.tail());
}

}  // namespace hob::unit
