#include "unit/task/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>

#include "limits.hpp"
#include "util/clock.hpp"

namespace hob::unit {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::system_clock;

constexpr int missed_max = 1000;
constexpr int search_days = 366 * 9;  // 29 February comes at least every eight years

// Minutes since the epoch of a local time read as if it were UTC.
using local_minutes = std::chrono::duration<std::int64_t, std::ratio<60>>;

// The offset from UTC in seconds, of the machine's zone or of another.
class zone_clock {
public:
    explicit zone_clock(const std::optional<util::time_zone>& zone) : zone_(zone ? &*zone : nullptr) {}

    std::int64_t offset_at(std::int64_t utc_seconds) const {
        if (zone_ != nullptr) return zone_->offset_at(utc_seconds);
        const std::time_t time = utc_seconds;
        std::tm local{};
        if (::localtime_r(&time, &local) == nullptr) return 0;
        return local.tm_gmtoff;
    }

    local_minutes local_of(std::int64_t utc_seconds) const {
        return floor<local_minutes>(seconds(utc_seconds + offset_at(utc_seconds)));
    }

    // The first time at which the clock shows `local`; for a skipped local time, the first minute after the
    // gap.
    std::int64_t utc_of(local_minutes local) const {
        const std::int64_t as_utc = seconds(local).count();
        constexpr std::int64_t day = 86400;
        const std::int64_t before = offset_at(as_utc - day), after = offset_at(as_utc + day);
        const std::int64_t early = as_utc - std::max(before, after), late = as_utc - std::min(before, after);
        if (local_of(early) == local) return early;
        if (local_of(late) == local) return late;
        std::int64_t low = early - 60,
                     high = late + 60;  // local time is before `local` at low, after it at high
        while (high - low > 60) {
            const std::int64_t middle = low + (high - low) / 120 * 60;
            (local_of(middle) > local ? high : low) = middle;
        }
        return high;
    }

private:
    const util::time_zone* zone_;
};

struct civil_day {
    unsigned month, day, weekday;
};

civil_day civil_of(std::int64_t local_day) {
    const std::chrono::sys_days date{days(local_day)};
    const std::chrono::year_month_day parts(date);
    return {unsigned(parts.month()), unsigned(parts.day()), std::chrono::weekday(date).c_encoding()};
}

bool has(std::uint64_t bits, std::int64_t bit) { return (bits >> bit & 1) != 0; }

bool day_matches(const cron_spec& cron, std::int64_t local_day) {
    const civil_day date = civil_of(local_day);
    if (!has(cron.months, date.month)) return false;
    const bool by_day = has(cron.days, date.day), by_weekday = has(cron.weekdays, date.weekday);
    return cron.any_day || cron.any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

wall_time at(std::int64_t utc_seconds) { return wall_time(seconds(utc_seconds)); }

std::int64_t seconds_of(wall_time time) { return floor<seconds>(time.time_since_epoch()).count(); }

// Goes through the elapsing minutes; skips days and hours that cannot match.
std::optional<wall_time> next_elapsed(const cron_spec& cron, const zone_clock& clock, wall_time after) {
    std::int64_t utc = (seconds_of(after) / 60 + 1) * 60;
    const std::int64_t end = utc + std::int64_t{search_days} * 86400;
    while (utc < end) {
        const local_minutes local = clock.local_of(utc);
        const std::int64_t day = floor<days>(local).count();
        const auto of_day = static_cast<int>((local - local_minutes(day * 1440)).count());
        if (!day_matches(cron, day)) {
            // Three hours less than to the end of the day, for a change of the zone. A short step costs one
            // more iteration.
            utc += std::max<std::int64_t>(1440 - of_day - 180, 1) * 60;
        } else if (!has(cron.hours, of_day / 60)) {
            utc += std::max<std::int64_t>(60 - of_day % 60 - 31, 1) * 60;
        } else if (!has(cron.minutes, of_day % 60)) {
            utc += 60;
        } else {
            return at(utc);
        }
    }
    return std::nullopt;
}

// Goes through the local times.
std::optional<wall_time> next_local(const cron_spec& cron, const zone_clock& clock, wall_time after) {
    const std::int64_t from = seconds_of(after);
    const std::int64_t first_day = floor<days>(clock.local_of(from)).count() - 1;
    for (std::int64_t day = first_day; day < first_day + search_days; ++day) {
        if (!day_matches(cron, day)) continue;
        for (unsigned hour = 0; hour < 24; ++hour) {
            if (!has(cron.hours, hour)) continue;
            const local_minutes start(day * 1440 + hour * 60);
            if (clock.utc_of(start + local_minutes(59)) <= from) continue;
            for (unsigned minute = 0; minute < 60; ++minute) {
                if (!has(cron.minutes, minute)) continue;
                const std::int64_t utc = clock.utc_of(start + local_minutes(minute));
                if (utc > from) return at(utc);
            }
        }
    }
    return std::nullopt;
}

bool slot_is_on_time(const task_spec& task, wall_time slot, wall_time now) {
    return now - slot <= task.jitter + limits::slot_grace;
}

// Whether the slots that passed give a run now, and why.
void decide_passed_slots(schedule_plan& plan, const task_spec& task, wall_time first, int passed,
                         wall_time now) {
    const bool on_time = slot_is_on_time(task, plan.record.last_slot, now);
    plan.run = on_time || task.catch_up == catch_up_policy::once;
    plan.missed = passed - (plan.run && on_time ? 1 : 0);
    const std::string due = util::rfc3339(on_time ? plan.record.last_slot : first);
    if (plan.run && plan.missed == 0) {
        plan.cause = "due " + due;
    } else if (plan.run) {
        plan.cause = fmt::format("due {}; makes up for {}{} slot{}", due, passed == missed_max ? "over " : "",
                                 plan.missed, plan.missed == 1 ? "" : "s");
    } else {
        plan.cause =
            fmt::format("{}{} slot{} since {} passed while it could not run",
                        passed == missed_max ? "over " : "", plan.missed, plan.missed == 1 ? "" : "s", due);
    }
}

}  // namespace

wall_time next_every(milliseconds every, wall_time anchor, wall_time after) {
    if (every.count() <= 0) return after + milliseconds(1);
    const auto since = floor<milliseconds>(after - anchor).count();
    const auto width = every.count();
    auto steps = since / width;
    if (since < 0 && since % width != 0) --steps;
    return anchor + (steps + 1) * every;
}

std::optional<wall_time> next_cron(const cron_spec& cron, wall_time after,
                                   const std::optional<util::time_zone>& zone) {
    const zone_clock clock(zone);
    return cron.any_hour ? next_elapsed(cron, clock, after) : next_local(cron, clock, after);
}

std::optional<wall_time> next_slot(const task_spec& task, wall_time anchor, wall_time after) {
    if (task.every) return next_every(*task.every, anchor, after);
    if (task.cron) return next_cron(*task.cron, after, task.time_zone);
    return std::nullopt;
}

std::string schedule_rule(const task_spec& task) {
    if (task.every) return fmt::format("every {}", task.every->count());
    if (!task.cron) return {};
    return "cron " + task.cron->text + (task.time_zone ? " in " + task.time_zone->name() : "");
}

schedule_plan plan_schedule(const task_spec& task, const std::optional<schedule_record>& known,
                            wall_time now) {
    schedule_plan plan;
    const std::string rule = schedule_rule(task);
    const wall_time now_ms = floor<milliseconds>(now);  // the database stores milliseconds
    plan.record = known && known->rule == rule ? *known : schedule_record{rule, now_ms, now_ms};
    auto& last = plan.record.last_slot;
    // The clock was set back. A slot that already ran does not run again, unless the clock went back by more
    // than one slot.
    if (const auto following = next_slot(task, plan.record.anchor, now);
        last > now && following && last > *following)
        last = now_ms;
    int passed = 0;
    std::optional<wall_time> slot = next_slot(task, plan.record.anchor, last);
    const wall_time first = slot.value_or(now);
    for (; slot && *slot <= now && passed < missed_max; ++passed) {
        last = *slot;
        slot = next_slot(task, plan.record.anchor, last);
    }
    if (slot && *slot <= now) {  // too many to count
        last = now;
        slot = next_slot(task, plan.record.anchor, now);
    }
    plan.next = slot;
    if (passed > 0) decide_passed_slots(plan, task, first, passed, now);
    return plan;
}

}  // namespace hob::unit
