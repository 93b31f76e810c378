// The queue of a task and its runs. Its triggers are in triggers.cpp.
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
#include "unit/watch/file_trigger.hpp"
#include "util/clock.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;
using util::level;
using util::log;

task::task(std::shared_ptr<unit_context> context, unit_spec spec)
    : managed_unit(std::move(context), std::move(spec), unit_state::idle),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files, context_->options.executor),
      stopped_by_user_(context_->options.db.stopped_by_user(spec_->name)),
      last_run_(context_->runs.last_of(spec_->name)),
      retry_timer_(context_->options.executor) {
    log_.remember_stdout();
    show_lines_of(log_);
}

task::~task() { disarm(); }

std::shared_ptr<task> task::make(std::shared_ptr<unit_context> context, unit_spec spec, bool at_start) {
    std::shared_ptr<task> unit(new task(std::move(context), std::move(spec)));
    unit->start_due_ = at_start && unit->detail().on_start;
    unit->arm();
    unit->update_state();
    return unit;
}

bool task::failing() const { return last_run_ && is_failure(last_run_->state); }

unit_status task::status() const {
    unit_status status = managed_unit::status();
    status.pid = current_ ? current_->pid() : 0;
    if (last_exit_) status.exit = exit_brief(*last_exit_);
    if (stopped_by_user_ && !hold_reason_.empty()) status.detail = hold_reason_;
    if (current_) status.detail = current_->blocked_by();
    if (current_) current_->add_limits(status);
    status.next_at = next_at_;
    status.last_run = last_run_;
    return status;
}

void task::update_state() {
    const bool starting = current_ && current_->pid() == 0;
    const bool waiting = !queue_.empty() || starting || retrying_;
    if (current_ && !starting) {
        enter(unit_state::running, current_->pid());
    } else if (waiting) {
        enter(unit_state::queued, 0);
    } else if (stopped_by_user_) {
        enter(unit_state::held, 0);
    } else {
        enter(awaits_trigger() ? unit_state::scheduled : unit_state::idle, 0);
    }
}

std::shared_ptr<active_run> task::submit(run_parameters parameters) {
    check_overlap(parameters);
    if (working_ && detail().overlap == overlap_policy::cancel) request_stop("a newer run takes its place");
    if (!parameters.caller) parameters.caller = caller_environment_;
    auto run = active_run::make(context_, spec_, log_, std::move(parameters));
    run->remember_queued();
    enqueue(run);
    return run;
}

void task::enqueue(std::shared_ptr<active_run> run) {
    queue_.push_back(std::move(run));
    if (!std::exchange(working_, true))
        util::spawn(context_->options.executor, process_queue(), "task " + spec_->name);
    update_state();
}

void task::check_overlap(const run_parameters& parameters) const {
    const auto refuse = [&](error_kind kind, const std::string& why, const std::string& hint = {}) {
        throw failure(kind, cannot("run", spec_->name), why, hint);
    };
    const bool manual = parameters.trigger == run_trigger::manual;
    if (context_->closing || (context_->draining && !manual))
        refuse(error_kind::cancelled, "the daemon is shutting down");
    if (working_ && detail().overlap == overlap_policy::skip) {
        refuse(error_kind::unit_failed,
               current_ && current_->id() != 0 ? fmt::format("run {} of it is not over", current_->id())
                                               : "it waits to run",
               "overlap = \"queue\" in hob.toml lets runs wait for each other");
    }
    if (working_ && detail().overlap == overlap_policy::queue) {
        const bool same_trigger_waits = std::any_of(queue_.begin(), queue_.end(), [&](const auto& queued) {
            return queued->parameters().trigger == parameters.trigger;
        });
        if (same_trigger_waits && !manual) refuse(error_kind::unit_failed, "one such run waits already");
        if (queue_.size() >= limits::run_queue_max)
            refuse(error_kind::unit_failed, "too many runs wait already");
    }
}

asio::awaitable<void> task::process_queue() {
    const auto alive = self();
    while (!queue_.empty()) {
        current_ = queue_.front();
        queue_.pop_front();
        clear_kill_report();
        if (current_->parameters().trigger == run_trigger::watch) change_loop_.started();
        co_await execute(current_);
        const auto ended = std::exchange(current_, nullptr);
        after_run(*ended);
        ended->forget();
        update_state();
        changes().ring();  // run_for() waits for the end of a run, not of the queue
    }
    working_ = false;
    update_state();
    changes().ring();
    if (context_->options.changed) context_->options.changed();
    if (file_trigger_) file_trigger_->report_deferred();
}

asio::awaitable<void> task::execute(std::shared_ptr<active_run> run) {
    if (!run->spec().after.empty() && !run->cancelled() && !run->has_begun()) {
        std::exception_ptr not_ready;
        try {
            co_await util::first_of(run_dependencies(run), run->until_cancelled());
        } catch (const failure&) {
            not_ready = std::current_exception();
        }
        if (not_ready) {
            co_await run->fail(not_ready);
            co_return;
        }
    }
    const auto alive = self();
    const auto show_begin = [](std::shared_ptr<task> unit,
                               std::shared_ptr<active_run> begun) -> asio::awaitable<void> {
        try {
            co_await begun->begun();
        } catch (const failure&) {
            co_return;  // execute() reports it
        }
        unit->update_state();
    };
    util::spawn(context_->options.executor, show_begin(alive, run), "task " + spec_->name);
    if (!run->has_begun()) log_.clear_tail();
    co_await run->execute();
}

asio::awaitable<void> task::run_dependencies(std::shared_ptr<active_run> run) {
    const auto alive = self();
    co_await await_dependencies("run", util::deadline::never());
    if (!run->cancelled()) co_await run_tasks_before("run", util::deadline::never());
}

asio::awaitable<void> task::run_for(std::string dependent) {
    const auto alive = self();
    if (!working_ && !retrying_) {
        run_parameters parameters;
        parameters.trigger = run_trigger::after;
        parameters.cause = fmt::format("before {}", dependent);
        parameters.dependent = dependent;
        submit(std::move(parameters));
    }
    for (;;) {
        while (!working_ && retrying_)
            co_await changes().wait();
        const auto run = current_ ? current_ : queue_.empty() ? nullptr : queue_.front();
        if (!run) throw failure(error_kind::cancelled, cannot("run", spec_->name), "it was stopped");
        std::string reason;
        try {
            const run_record record = co_await run->wait();
            if (record.state == run_state::ok) co_return;
            reason = fmt::format("run {} {}", record.id,
                                 run->last_exit() ? exit_text(*run->last_exit()) : "did not start");
            if (record.state != run_state::failed) reason += fmt::format(" ({})", name_of(record.state));
        } catch (const failure& why) {
            reason = why.reason();
        }
        while (current_ == run)
            co_await changes().wait();
        if (!retrying_) throw failure(error_kind::unit_failed, cannot("run", spec_->name), reason);
    }
}

void task::after_run(const active_run& run) {
    if (run.last_exit()) last_exit_ = run.last_exit();
    set_stop_report(run.stopped());
    if (auto last = context_->runs.last_of(spec_->name)) last_run_ = std::move(last);
    if (!run.has_begun()) return;
    const run_state state = run.result() ? run.result()->state : run_state::failed;
    if (state == run_state::ok) context_->became_ready(spec_->name, run.parameters().dependent);
    if (state == run_state::ok || state == run_state::cancelled) return;
    const run_parameters& parameters = run.parameters();
    if (parameters.trigger == run_trigger::manual || parameters.attempt >= detail().retry.max ||
        !may_trigger()) {
        report_failure(run);
        return;
    }
    run_parameters retry;
    retry.trigger = run_trigger::retry;
    retry.attempt = parameters.attempt + 1;
    retry.retry_of = run.id();
    retry.cause = fmt::format("run {} failed; attempt {} of {}", run.id(), retry.attempt, detail().retry.max);
    retry.variables = parameters.variables;
    retry.caller = caller_environment_;
    auto waiting = active_run::make(context_, spec_, log_, std::move(retry));
    waiting->remember_queued(std::chrono::system_clock::now() + detail().retry.delay);
    retrying_ = true;
    util::spawn(context_->options.executor, run_after_delay(std::move(waiting), detail().retry.delay),
                "retry " + spec_->name);
}

// Called when no retry follows.
void task::report_failure(const active_run& run) {
    if (!spec_->on_failure || context_->closing) return;
    try {
        auto entries = context_->environment_of(*spec_, caller_environment_);
        entries.push_back(fmt::format("{}={}", mark_run, run.id()));
        const std::string how = run.last_exit() ? exit_text(*run.last_exit()) : "could not be started";
        run_on_failure(context_->options.executor, *spec_, std::move(entries),
                       fmt::format("run {} {}", run.id(), how), log_.tail());
    } catch (const failure& why) {
        log(level::warning, "unit", "on_failure did not start",
            {field("unit", spec_->name), field("reason", why.what())});
    }
}

asio::awaitable<void> task::run_after_delay(std::shared_ptr<active_run> retry, milliseconds delay) {
    const auto alive = self();
    retry_timer_.expires_after(delay);
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await retry_timer_.async_wait(token);
    if (error) co_return;
    retrying_ = false;
    trigger(std::move(retry));
    update_state();
}

// The keeper was told of a run before the database was told that its slot is taken.
void task::take_slot(const std::optional<schedule_record>& slot) {
    if (!slot) return;
    const auto known = context_->runs.schedule(spec_->name);
    if (!known || known->rule != slot->rule || known->last_slot < slot->last_slot)
        context_->runs.set_schedule(spec_->name, *slot);
}

void task::adopt_run(const run_order& order, lifecycle::held_entry held) {
    take_slot(parameters_of(order).slot);
    enqueue(active_run::adopt(context_, spec_, log_, order, std::move(held)));
}

void task::adopt_queued(const run_order& order, const std::string& key) {
    run_parameters parameters = parameters_of(order);
    take_slot(parameters.slot);
    auto run = active_run::make(context_, spec_, log_, std::move(parameters));
    run->set_queued_key(key);
    const auto due = util::time_of_ms(order.due);
    const auto left = std::chrono::duration_cast<milliseconds>(due - std::chrono::system_clock::now());
    if (order.due == 0) return enqueue(std::move(run));
    retrying_ = true;
    util::spawn(context_->options.executor, run_after_delay(std::move(run), std::max(left, milliseconds(0))),
                "retry " + spec_->name);
}

void task::record_desired_state(bool up, const std::optional<environment>&) {
    context_->options.db.set_stopped_by_user(spec_->name, !up);
}

asio::awaitable<void> task::start(std::optional<environment> caller) {
    const auto alive = self();
    if (caller) caller_environment_ = std::move(caller);
    record_desired_state(true, std::nullopt);
    hold_reason_.clear();
    change_loop_.clear();
    if (std::exchange(stopped_by_user_, false)) arm();
    update_state();
    co_return;
}

asio::awaitable<void> task::stop(bool hold) {
    const auto alive = self();
    if (hold) {
        stopped_by_user_ = true;
        record_desired_state(false, std::nullopt);
        hold_reason_.clear();
        disarm();
    }
    request_stop("asked to stop");
    while (working_) {
        co_await changes().wait();
    }
    update_state();
    throw_if_left("stop");
}

asio::awaitable<void> task::restart(std::optional<environment> caller) {
    const auto alive = self();
    co_await stop(false);
    co_await start(std::move(caller));
}

void task::request_stop(const char* why) {
    if (std::exchange(retrying_, false)) retry_timer_.cancel();
    for (const auto& queued : queue_)
        queued->cancel(why);
    if (current_) current_->cancel(why);
    if (context_->closing) disarm();
    update_state();
}

void task::kill_now() {
    request_stop("killed");
    if (current_) current_->kill_now();
}

bool task::definition_changed() const { return current_ && needs_new_process(current_->spec(), *spec_); }

void task::reconfigure(unit_spec spec, running_process) {
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    retired_ = false;
    disarm();
    arm();
    update_state();
}

}  // namespace hob::unit
