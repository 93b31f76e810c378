#pragma once
// When a task is due: a grid or a cron expression, in wall-clock time. Functions of what is given alone, and
// of the local zone.

#include <chrono>
#include <optional>
#include <string>

#include "unit/spec/spec.hpp"
#include "unit/store/run_store.hpp"

namespace hob::unit {

using wall_time = std::chrono::system_clock::time_point;

// The first slot after `after`. The grid of `every` goes through `anchor`, in both directions.
wall_time next_every(milliseconds every, wall_time anchor, wall_time after);

// The first minute after `after` that matches in local time. Where the hours are given: a time that the zone
// skips is the next minute that exists, one that it has twice is the first. Where the hour field begins with
// `*`: every minute whose local time matches, so by elapsed time. nullopt: none within a few years.
std::optional<wall_time> next_cron(const cron_spec& cron, wall_time after);

// Of a task that has `every` or `cron`.
std::optional<wall_time> next_slot(const task_spec& task, wall_time anchor, wall_time after);

// What a schedule record belongs to: changes with what was written.
std::string schedule_rule(const task_spec& task);

struct schedule_plan {
    schedule_record record;         // as it is from now on
    bool run = false;               // now
    std::string cause;              // of the run, or of its being skipped
    int missed = 0;                 // slots that passed without a run of their own; many count as 1000
    std::optional<wall_time> next;  // the next slot; jitter is not in it
};

// What is to be done at `now`, given what is known (nullopt: the task is seen for the first time).
schedule_plan plan_schedule(const task_spec& task, const std::optional<schedule_record>& known,
                            wall_time now);

}  // namespace hob::unit
