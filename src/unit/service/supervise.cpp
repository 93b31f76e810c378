// How a service is kept up.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "unit/process/on_failure.hpp"
#include "unit/service/service_process.hpp"
#include "util/duration.hpp"
#include "util/json_edit.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;

asio::awaitable<void> service::keep_up() {
    const auto alive = self();
    while (wanted_ && !context_->closing) {
        co_await wait_for_units();
        if (!wanted_) break;
        if (tasks_due_ && !co_await run_due_tasks()) co_return;
        if (!wanted_) break;
        again_ = false;
        const ending last = co_await run_once();
        if (!wanted_) break;
        again_ = false;
        if (last.asked) continue;  // a restart by hand, a reload, a stop that was taken back: not counted
        if (!should_restart(last)) {
            kept_ = false;
            give_up(last);
            co_return;
        }
        co_await back_off();
    }
    kept_ = false;
    set_state(unit_state::stopped);
    changes().ring();  // also when it was stopped before
}

// Those that are not up are started once for each wish; after that, one that ends is waited for.
asio::awaitable<void> service::wait_for_units() {
    if (!std::exchange(pulled_, true)) pull_units(caller_environment_);
    while (const auto other = first_unready()) {
        set_state(unit_state::waiting);
        say(other->failed()
                ? fmt::format("it waits for '{}', which failed", other->spec().name)
                : fmt::format("it waits for '{}', which is {}", other->spec().name, name_of(other->state())));
        auto theirs = other->changes().wait();
        auto ours = asked_.wait();
        co_await util::first_of(std::move(theirs), std::move(ours));
        if (!wanted_) co_return;
        if (!std::exchange(pulled_, true)) pull_units(caller_environment_);
    }
}

asio::awaitable<bool> service::run_due_tasks() {
    tasks_due_ = false;
    if (!has_tasks_before()) co_return true;
    set_state(unit_state::waiting);
    say("it waits for the tasks in 'after'");
    std::optional<failure> failed;
    try {
        auto tasks = run_tasks_before("start", util::deadline::never());
        auto stopped = until_unwanted();
        co_await util::first_of(std::move(tasks), std::move(stopped));
    } catch (const failure& why) {
        failed.emplace(why);
    }
    if (!failed || !wanted_) co_return true;
    ++failures_;
    wanted_ = false;
    kept_ = false;
    detail_ = failed->reason();
    failed_task_ = util::json_unquote(util::json_find(failed->detail(), {"unit"})).value_or("");
    util::log(util::level::error, "unit", "service failed",
              {field("unit", spec_->name), field("reason", detail_)});
    set_state(unit_state::failed);
    co_return false;
}

asio::awaitable<void> service::until_unwanted() {
    while (wanted_)
        co_await asked_.wait();
}

// Whether it is started again after this end, and what was counted.
bool service::should_restart(const ending& last) {
    const auto& what = std::get<service_spec>(spec_->detail);
    if (last.failed) ++failures_;
    const bool wants =
        what.restart == restart_policy::always || (what.restart == restart_policy::on_failure && last.failed);
    return wants && (what.max_restarts == 0 || in_a_row_ < what.max_restarts);
}

asio::awaitable<void> service::back_off() {
    const auto& limits = std::get<service_spec>(spec_->detail).backoff;
    pause_ = in_a_row_ == 0 ? limits.min : std::min(pause_ * 2, limits.max);
    ++in_a_row_;
    detail_ = fmt::format("{}; tried again in {}", detail_, util::format_duration(pause_));
    set_state(unit_state::backoff);
    auto resting = util::pause(pause_);
    auto asking = asked_.wait();
    const bool by_itself = co_await util::first_of(std::move(resting), std::move(asking)) == 0;
    if (by_itself) ++restarts_;
}

void service::give_up(const ending& last) {
    wanted_ = false;
    const auto& what = std::get<service_spec>(spec_->detail);
    if (!last.failed) {
        context_->options.db.clear_desired_up(spec_->name);
        set_state(unit_state::stopped);
        return;
    }
    if (what.max_restarts > 0 && what.restart != restart_policy::never) {
        detail_ = fmt::format("{}; restarted {} {} in a row, which is the limit", last.reason, in_a_row_,
                              in_a_row_ == 1 ? "time" : "times");
    }
    util::log(util::level::error, "unit", "service failed",
              {field("unit", spec_->name), field("reason", detail_)});
    set_state(unit_state::failed);
    std::vector<std::string> found;
    try {
        found = context_->environment_of(*spec_, caller_environment_);
    } catch (const failure&) {
        return;  // its env_file is the very reason, and is told
    }
    run_on_failure(context_->options.executor, *spec_, std::move(found), detail_, log_.tail());
}

}  // namespace hob::unit
