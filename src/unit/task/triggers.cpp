// What makes a task run by itself: its schedule, its watch, the daemon's start.
#include <random>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/task/file_trigger.hpp"
#include "unit/task/task.hpp"
#include "util/log.hpp"

namespace hob::unit {

using util::field;
using util::level;

namespace {

milliseconds random_up_to(milliseconds most) {
    if (most.count() <= 0) return milliseconds(0);
    static std::minstd_rand source{std::random_device{}()};
    return milliseconds(std::uniform_int_distribution<std::int64_t>(0, most.count() - 1)(source));
}

}  // namespace

bool task::may_trigger() const {
    return began_ && !stopped_by_user_ && !retired_ && !context_->draining && !context_->closing;
}

bool task::awaits_trigger() const { return next_at_.has_value() || watch_ != nullptr; }

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
        run_order order;
        order.trigger = run_trigger::start;
        order.cause = "the daemon started";
        trigger(std::move(order));
    }
    if (detail().every || detail().cron) look_at_clock();
    if (!detail().watch.empty() && !watch_) {
        const std::weak_ptr<task> owner = self();
        watch_ = task_watch::make(context_->options.executor, context_->options.root, *spec_,
                                  [owner](std::vector<std::string> paths, const std::string& note) {
                                      if (const auto mine = owner.lock())
                                          mine->watch_changed(std::move(paths), note);
                                  });
    }
    show_state();
}

void task::disarm() {
    if (context_->wall) context_->wall->clear(this);
    next_at_.reset();
    if (watch_) std::exchange(watch_, nullptr)->stop();
}

// At each slot, when the clock was set, and whenever the task is armed.
void task::look_at_clock() {
    next_at_.reset();
    if (!may_trigger()) return;
    const auto known = context_->runs.schedule(spec_->name);
    const auto now = std::chrono::system_clock::now();
    const schedule_plan plan = plan_schedule(detail(), known, now);
    // First what was had, then the run: a slot that a crash takes away in between is lost, none is had twice.
    if (!known || known->rule != plan.record.rule || known->last_slot != plan.record.last_slot)
        context_->runs.set_schedule(spec_->name, plan.record);
    if (plan.next) {
        next_at_ = *plan.next + random_up_to(detail().jitter);
        if (!context_->wall) context_->wall = std::make_shared<util::wall_clock>(context_->options.executor);
        const std::weak_ptr<task> owner = self();
        context_->wall->set(this, *next_at_, [owner] {
            if (const auto mine = owner.lock()) mine->look_at_clock();
        });
    }
    run_order order;
    order.trigger = detail().every ? run_trigger::timer : run_trigger::cron;
    order.cause = plan.cause;
    if (plan.run) {
        trigger(std::move(order));
    } else if (plan.missed > 0) {
        skip(order, {});
    }
    if (context_->options.changed) context_->options.changed();
}

void task::trigger(run_order order) {
    if (!may_trigger()) return;
    const run_order kept = order;
    try {
        submit(std::move(order));
    } catch (const failure& why) {
        skip(kept, why.what());
    }
}

void task::skip(const run_order& order, const std::string& why) {
    util::log(level::info, "unit", "a run is skipped",
              {field("unit", spec_->name), field("trigger", name_of(order.trigger)),
               field("cause", order.cause), field("reason", why)});
    run_record record;
    record.task = spec_->name;
    record.trigger = name_of(order.trigger);
    record.cause = order.cause;
    if (!why.empty()) record.cause += (record.cause.empty() ? "" : "; ") + why;
    record.state = name_of(run_state::skipped);
    record.started_at = std::chrono::system_clock::now();
    record.ended_at = record.started_at;
    try {
        context_->runs.add(record);
        context_->runs.prune(record.task, detail().keep);
    } catch (const failure&) {
        // The store has said so.
    }
}

// While a run is on, the watch keeps what changes, for exactly one more.
void task::watch_changed(std::vector<std::string> paths, const std::string& note) {
    if (working_ && detail().overlap != overlap_policy::cancel) {
        watch_->keep(std::move(paths), note);
        return;
    }
    run_order order;
    order.trigger = run_trigger::watch;
    order.cause = note;
    if (note.empty() && !paths.empty()) {
        order.cause = paths.front();
        if (paths.size() > 1) order.cause += " and " + std::to_string(paths.size() - 1) + " more";
    }
    std::string changed;
    for (const auto& path : paths) {
        if (changed.size() + path.size() + 1 > limits::changed_paths_max) break;
        if (!changed.empty()) changed += '\n';
        changed += path;
    }
    order.variables.emplace_back("HOB_CHANGED", std::move(changed));
    trigger(std::move(order));
}

}  // namespace hob::unit
