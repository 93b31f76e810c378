// Of a task: its queue and its runs. What triggers them is in task_triggers.cpp.
#include "unit/task/task.hpp"

#include <fmt/format.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/environment.hpp"
#include "unit/process/on_failure.hpp"
#include "unit/task/file_trigger.hpp"
#include "util/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

namespace {

// Of the run itself: it was not cancelled or skipped.
bool has_failed(const run_record& run) {
    constexpr run_state failures[] = {run_state::failed, run_state::timeout, run_state::lost};
    return std::any_of(std::begin(failures), std::end(failures),
                       [&run](run_state state) { return run.state == name_of(state); });
}

}  // namespace

task::task(std::shared_ptr<unit_context> context, unit_spec spec)
    : managed_unit(std::move(context), std::move(spec), unit_state::idle),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files, context_->options.executor),
      stopped_by_user_(context_->options.db.stopped_by_user(spec_->name)),
      last_run_(context_->runs.last_of(spec_->name)),
      retry_timer_(context_->options.executor) {}

task::~task() { disarm(); }

std::shared_ptr<task> task::make(std::shared_ptr<unit_context> context, unit_spec spec, bool at_start) {
    std::shared_ptr<task> made(new task(std::move(context), std::move(spec)));
    made->start_due_ = at_start && made->detail().on_start;
    made->arm();
    made->show_state();
    return made;
}

unit_status task::status() const {
    unit_status now = managed_unit::status();
    now.pid = current_ ? current_->pid() : 0;
    if (last_exit_) now.exit = exit_brief(*last_exit_);
    now.next_at = next_at_;
    now.last_run = last_run_;
    now.failing = last_run_ && has_failed(*last_run_);
    return now;
}

void task::show_state() {
    const bool starts = current_ && current_->pid() == 0;
    const bool waits = !queue_.empty() || starts || retrying_;
    if (current_ && !starts) {
        enter(unit_state::running, current_->pid());
    } else if (waits) {
        enter(unit_state::queued, 0);
    } else if (stopped_by_user_) {
        enter(unit_state::held, 0);
    } else {
        enter(awaits_trigger() ? unit_state::scheduled : unit_state::idle, 0);
    }
}

std::shared_ptr<run_job> task::submit(run_order order) {
    const auto refuse = [&](error_kind kind, const std::string& why, const std::string& hint = {}) {
        throw failure(kind, fmt::format("cannot run '{}': {}", spec_->name, why), hint);
    };
    const bool manual = order.trigger == run_trigger::manual;
    if (context_->closing || (context_->draining && !manual))
        refuse(error_kind::cancelled, "the daemon is shutting down");
    if (working_ && detail().overlap == overlap_policy::skip) {
        refuse(error_kind::unit_failed,
               current_ && current_->id() != 0 ? fmt::format("run {} of it is not over", current_->id())
                                               : "it waits to run",
               "overlap = \"queue\" in hob.toml lets runs wait for each other");
    }
    if (working_ && detail().overlap == overlap_policy::queue) {
        const bool waits = std::any_of(queue_.begin(), queue_.end(), [&](const auto& one) {
            return one->order().trigger == order.trigger;
        });
        if (waits && !manual) refuse(error_kind::unit_failed, "one such run waits already");
        if (queue_.size() >= limits::run_queue_max)
            refuse(error_kind::unit_failed, "too many runs wait already");
    }
    if (working_ && detail().overlap == overlap_policy::cancel) request_stop("a newer run takes its place");
    if (!order.caller) order.caller = caller_environment_;
    auto job = run_job::make(context_, spec_, log_, std::move(order));
    queue_.push_back(job);
    if (!std::exchange(working_, true))
        util::spawn(context_->options.executor, work(), "task " + spec_->name);
    show_state();
    return job;
}

asio::awaitable<void> task::work() {
    const auto alive = self();
    while (!queue_.empty()) {
        current_ = queue_.front();
        queue_.pop_front();
        co_await handle_call(current_);
        const auto job = std::exchange(current_, nullptr);
        after_run(*job);
        show_state();
    }
    working_ = false;
    show_state();
    changes().ring();
    if (context_->options.changed) context_->options.changed();
    if (watch_) watch_->run_ended();
}

asio::awaitable<void> task::handle_call(std::shared_ptr<run_job> job) {
    if (!job->spec().after.empty() && !job->cancelled()) {
        std::exception_ptr missing;
        try {
            auto needed = await_dependencies("run", util::deadline::never());
            auto given_up = job->until_cancelled();
            co_await util::first_of(std::move(needed), std::move(given_up));
        } catch (const failure&) {
            missing = std::current_exception();
        }
        if (missing) {
            co_await job->fail(missing);
            co_return;
        }
    }
    const auto alive = self();
    auto shown = [](std::shared_ptr<task> me, std::shared_ptr<run_job> one) -> asio::awaitable<void> {
        try {
            co_await one->begun();
        } catch (const failure&) {
            co_return;  // told by execute()
        }
        me->show_state();
    };
    util::spawn(context_->options.executor, shown(alive, job), "task " + spec_->name);
    co_await job->execute();
}

void task::after_run(const run_job& job) {
    if (job.last_exit()) last_exit_ = job.last_exit();
    if (auto last = context_->runs.last_of(spec_->name)) last_run_ = std::move(last);
    if (!job.begun_at_all()) return;
    const std::string state = job.result() ? job.result()->state : std::string(name_of(run_state::failed));
    if (state == name_of(run_state::ok) || state == name_of(run_state::cancelled)) return;
    const run_order& order = job.order();
    if (order.trigger == run_trigger::manual || order.attempt >= detail().retry.max || !may_trigger()) {
        tell_failure(job);
        return;
    }
    run_order again;
    again.trigger = run_trigger::retry;
    again.attempt = order.attempt + 1;
    again.cause = fmt::format("run {} failed; attempt {} of {}", job.id(), again.attempt, detail().retry.max);
    again.variables = order.variables;
    retrying_ = true;
    util::spawn(context_->options.executor, retry_later(std::move(again)), "retry " + spec_->name);
}

// When no retry comes any more.
void task::tell_failure(const run_job& job) {
    if (!spec_->on_failure || context_->closing) return;
    try {
        auto entries = context_->environment_of(*spec_, caller_environment_);
        entries.push_back(fmt::format("{}={}", mark_run, job.id()));
        const std::string how = job.last_exit() ? exit_text(*job.last_exit()) : "could not be started";
        run_on_failure(context_->options.executor, *spec_, std::move(entries),
                       fmt::format("run {} {}", job.id(), how), log_.tail());
    } catch (const failure& why) {
        log(level::warning, "unit", "on_failure did not start",
            {field("unit", spec_->name), field("reason", why.what())});
    }
}

asio::awaitable<void> task::retry_later(run_order order) {
    const auto alive = self();
    retry_timer_.expires_after(detail().retry.delay);
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await retry_timer_.async_wait(token);
    if (error) co_return;
    retrying_ = false;
    trigger(std::move(order));
    show_state();
}

void task::record_desired_state(bool up, const std::optional<environment>&) {
    context_->options.db.set_stopped_by_user(spec_->name, !up);
}

asio::awaitable<void> task::start(std::optional<environment> caller) {
    const auto alive = self();
    if (caller) caller_environment_ = std::move(caller);
    record_desired_state(true, std::nullopt);
    if (std::exchange(stopped_by_user_, false)) arm();
    show_state();
    co_return;
}

asio::awaitable<void> task::stop(bool hold) {
    const auto alive = self();
    if (hold) {
        stopped_by_user_ = true;
        record_desired_state(false, std::nullopt);
        disarm();
    }
    request_stop("asked to stop");
    while (working_) {
        co_await changes().wait();
    }
    show_state();
}

asio::awaitable<void> task::restart(std::optional<environment> caller) {
    const auto alive = self();
    co_await stop(false);
    co_await start(std::move(caller));
}

void task::request_stop(const char* why) {
    if (std::exchange(retrying_, false)) retry_timer_.cancel();
    for (const auto& job : queue_)
        job->cancel(why);
    if (current_) current_->cancel(why);
    if (context_->closing) disarm();
    show_state();
}

void task::kill_now() {
    request_stop("killed");
    if (current_) current_->kill_now();
}

void task::reconfigure(unit_spec spec) {
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    retired_ = false;
    disarm();
    arm();
    show_state();
}

// Of the run itself: it was not cancelled or skipped.
bool is_failure(const run_record& run) {
    constexpr run_state failures[] = {run_state::failed, run_state::timeout, run_state::lost};
    return std::any_of(std::begin(failures), std::end(failures),
                       [&run](run_state state) { return run.state == name_of(state); });
}

}  // namespace hob::unit
