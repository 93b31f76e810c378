// The triggers of a task: its schedule, its watch, the start of the daemon.
#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/task/task.hpp"
#include "unit/watch/cause_of_change.hpp"
#include "unit/watch/file_trigger.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

using util::field;
using util::level;

namespace {

milliseconds random_below(milliseconds limit) {
    if (limit.count() <= 0) return milliseconds(0);
    static std::minstd_rand source{std::random_device{}()};
    return milliseconds(std::uniform_int_distribution<std::int64_t>(0, limit.count() - 1)(source));
}

}  // namespace

bool task::may_trigger() const {
    return began_ && !stopped_by_user_ && !retired_ && !context_->draining && !context_->closing &&
           context_->may_start_by_itself(spec_->name);
}

bool task::awaits_trigger() const { return next_at_.has_value() || file_trigger_ != nullptr; }

void task::begin() {
    began_ = true;
    arm();
}

void task::retired() {
    retired_ = true;
    disarm();
}

void task::arm() {
    if (!may_trigger()) return;
    if (std::exchange(start_due_, false)) {
        run_parameters parameters;
        parameters.trigger = run_trigger::start;
        parameters.cause = "the daemon started";
        trigger(std::move(parameters));
    }
    if (detail().every || detail().cron) check_schedule();
    if (!spec_->watch.patterns.empty() && !file_trigger_) {
        const std::weak_ptr<task> weak = self();
        auto on_change = [weak](std::vector<std::string> paths, const std::string& note) {
            if (const auto owner = weak.lock()) owner->on_files_changed(std::move(paths), note);
        };
        file_trigger_ = file_trigger::make(context_->options.executor, context_->options.root, *spec_,
                                           std::move(on_change), keep_watch());
    }
    update_state();
}

void task::disarm() {
    if (context_->wall) context_->wall->clear(this);
    next_at_.reset();
    if (file_trigger_) std::exchange(file_trigger_, nullptr)->stop();
}

// Called at each slot, when the clock was set, and when the task is armed.
void task::check_schedule() {
    next_at_.reset();
    if (!may_trigger()) return;
    const auto known = context_->runs.schedule(spec_->name);
    const auto now = std::chrono::system_clock::now();
    const schedule_plan plan = plan_schedule(detail(), known, now);
    const bool is_new =
        !known || known->rule != plan.record.rule || known->last_slot != plan.record.last_slot;
    // After a crash in between that run is lost, but no slot runs twice. A keeper is told of the run and its
    // slot first: then neither happens.
    const bool is_kept = context_->keeper() != nullptr;
    if (is_new && !is_kept) context_->runs.set_schedule(spec_->name, plan.record);
    if (plan.next) {
        next_at_ = *plan.next + random_below(detail().jitter);
        if (!context_->wall) context_->wall = std::make_shared<util::wall_clock>(context_->options.executor);
        const std::weak_ptr<task> weak = self();
        context_->wall->set(this, *next_at_, [weak] {
            if (const auto owner = weak.lock()) owner->check_schedule();
        });
    }
    run_parameters parameters;
    parameters.trigger = detail().every ? run_trigger::timer : run_trigger::cron;
    parameters.cause = plan.cause;
    if (is_new) parameters.slot = plan.record;
    if (plan.run) {
        trigger(std::move(parameters));
    } else if (plan.missed > 0) {
        skip(parameters, {});
    }
    if (is_new && is_kept) context_->runs.set_schedule(spec_->name, plan.record);
    if (context_->options.changed) context_->options.changed();
}

void task::time_zone_changed() {
    if (!detail().cron || detail().time_zone || !may_trigger()) return;
    if (auto record = context_->runs.schedule(spec_->name)) {
        const wall_time now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
        record->last_slot = std::max(record->last_slot, now);
        context_->runs.set_schedule(spec_->name, *record);
    }
    check_schedule();
    update_state();
}

void task::trigger(run_parameters parameters) {
    if (!may_trigger()) return;
    const run_parameters copy = parameters;
    try {
        submit(std::move(parameters));
    } catch (const failure& why) {
        skip(copy, why.what());
    }
}

// A retry whose time has come.
void task::trigger(std::shared_ptr<active_run> run) {
    if (!may_trigger()) return;
    try {
        check_overlap(run->parameters());
    } catch (const failure& why) {
        return skip(run->parameters(), why.what());
    }
    if (working_ && detail().overlap == overlap_policy::cancel) request_stop("a newer run takes its place");
    enqueue(std::move(run));
}

void task::skip(const run_parameters& parameters, const std::string& why) {
    util::log(level::info, "unit", "a run is skipped",
              {field("unit", spec_->name), field("trigger", name_of(parameters.trigger)),
               field("cause", parameters.cause), field("reason", why)});
    run_record record;
    record.task = spec_->name;
    record.trigger = parameters.trigger;
    record.cause = parameters.cause;
    if (!why.empty()) record.cause += (record.cause.empty() ? "" : "; ") + why;
    record.state = run_state::skipped;
    record.started_at = std::chrono::system_clock::now();
    record.ended_at = record.started_at;
    try {
        context_->runs.add_ended(record, spec_->keep);
    } catch (const failure&) {
        // The store has logged it.
    }
}

// Changes during a run are deferred and give exactly one further run.
void task::on_files_changed(std::vector<std::string> paths, const std::string& note) {
    const auto now = std::chrono::steady_clock::now();
    if (working_ && detail().overlap != overlap_policy::cancel) {
        if (!deferred_since_) deferred_since_ = now;
        file_trigger_->defer(std::move(paths), note);
        return;
    }
    const auto seen = std::exchange(deferred_since_, std::nullopt).value_or(now);
    if (const auto path = change_loop_.path_at_fault(paths, seen, spec_->watch.debounce)) {
        hold_loop(*path);
        return;
    }
    run_parameters parameters;
    parameters.trigger = run_trigger::watch;
    parameters.cause = note;
    add_changed_paths(parameters, paths);
    trigger(std::move(parameters));
}

// One path a line, so a name with a newline would forge another path: it is left out. The first path and the
// number of others are the cause, unless there is one.
void task::add_changed_paths(run_parameters& parameters, const std::vector<std::string>& paths) const {
    std::string changed;
    std::size_t left_out = 0;
    for (const auto& path : paths) {
        if (path.find('\n') != std::string::npos) {
            ++left_out;
            continue;
        }
        if (changed.size() + path.size() + 1 > limits::changed_paths_max) continue;
        if (!changed.empty()) changed += '\n';
        changed += path;
    }
    if (left_out > 0) {
        util::log(level::warning, "unit", "paths with a newline are left out of HOB_CHANGED",
                  {field("unit", spec_->name), field("paths", left_out)});
    }
    parameters.cause = cause_of_change(paths, parameters.cause);
    parameters.variables.emplace_back("HOB_CHANGED", std::move(changed));
}

void task::hold_loop(const std::string& path) {
    change_loop_.clear();
    hold_reason_ =
        fmt::format("its runs change '{}', which it watches; hob start {} releases it", path, spec_->name);
    stopped_by_user_ = true;
    record_desired_state(false, std::nullopt);
    disarm();
    util::log(level::warning, "unit", "task is held: its runs change what it watches",
              {field("unit", spec_->name), field("path", path), field("runs", limits::watch_loop_runs),
               field("hint", "add the path to 'ignore'")});
    run_parameters parameters;
    parameters.trigger = run_trigger::watch;
    parameters.cause = path;
    skip(parameters, "held: the runs change this path themselves");
    update_state();
}

}  // namespace hob::unit
