#pragma once
// A parsed cron expression; unit/task/schedule.hpp computes its times. The day rule is that of Vixie cron: if
// neither day field begins with `*`, a day matches when either field matches. Otherwise both must match.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

struct cron_spec {
    std::string text;           // as written
    std::uint64_t minutes = 0;  // bit n: minute n, 0 to 59
    std::uint32_t hours = 0;    // bit n: hour n, 0 to 23
    std::uint32_t days = 0;     // bit n: day of the month n, 1 to 31
    std::uint16_t months = 0;   // bit n: month n, 1 to 12
    std::uint8_t weekdays = 0;  // bit n: 0 is Sunday, 6 Saturday
    bool any_hour = false;      // the hour field begins with `*`: runs by elapsed time over DST changes
    bool any_day = false;       // the day-of-month field begins with `*`
    bool any_weekday = false;   // the day-of-week field begins with `*`
    bool operator==(const cron_spec&) const = default;
};

struct cron_error {
    std::string reason;
    std::string hint;  // or empty
};

// Five fields of numbers, names (jan, mon), lists, ranges, steps and `*`; or @yearly @annually @monthly
// @weekly @daily
// @midnight @hourly. nullopt, with `error` filled in, for anything else and for dates that never come (30
// February).
std::optional<cron_spec> parse_cron(std::string_view text, cron_error& error);

}  // namespace hob::unit
