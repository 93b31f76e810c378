#pragma once
// When a task is due: a grid or a cron expression, in wall-clock time. Pure functions of their arguments and
// the time zone of the machine.

#include <chrono>
#include <optional>
#include <string>

#include "unit/spec/spec.hpp"
#include "unit/store/run_store.hpp"

namespace hob::unit {

using wall_time = std::chrono::system_clock::time_point;

// The first slot after `after`. The grid of `every` goes through `anchor`, in both directions.
wall_time next_every(milliseconds every, wall_time anchor, wall_time after);

// The first minute after `after` that matches in the local time of the zone. With fixed hours, a time skipped
// by the change to daylight saving time runs at the next existing minute, and a time that occurs twice runs
// the first time. With an hour field that begins with `*`, every minute whose local time matches runs, as
// time elapses. nullopt: none within nine years. `zone`: instead of the machine's.
std::optional<wall_time> next_cron(const cron_spec& cron, wall_time after,
                                   const std::optional<util::time_zone>& zone = std::nullopt);

// For a task with `every` or `cron`.
std::optional<wall_time> next_slot(const task_spec& task, wall_time anchor, wall_time after);

// The identity of a schedule record: it changes with `every`, `cron` and `time_zone`.
std::string schedule_rule(const task_spec& task);

struct schedule_plan {
    schedule_record record;         // to be stored
    bool run = false;               // a run is due now
    std::string cause;              // of the run, or of its being skipped
    int missed = 0;                 // slots that passed without a run of their own, at most 1000
    std::optional<wall_time> next;  // the next slot, without jitter
};

// What is due at `now`. `known`: the stored record; nullopt: the task is new.
schedule_plan plan_schedule(const task_spec& task, const std::optional<schedule_record>& known,
                            wall_time now);

}  // namespace hob::unit
