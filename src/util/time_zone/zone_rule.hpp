#pragma once
// The rule at the end of a zone file, which holds after its last change: a TZ string as POSIX has it, such as
// "CET-1CEST,M3.5.0,M10.5.0/3".

#include <cstdint>
#include <optional>
#include <string_view>

namespace hob::util {

class zone_rule {
public:
    // nullopt: it is no such string.
    static std::optional<zone_rule> parse(std::string_view text);

    std::int64_t offset_at(std::int64_t utc_seconds) const;  // seconds east of UTC

    bool operator==(const zone_rule&) const = default;

private:
    friend class rule_parser;

    // When a part of the year begins.
    struct day_rule {
        enum class form : std::uint8_t { day_without_leap, day_of_year, weekday_of_month };
        form kind = form::day_of_year;
        int month = 0, week = 0;  // of weekday_of_month; week 5 is the last one
        int day = 0;              // 1 to 365, 0 to 365, or a weekday from 0, Sunday
        int seconds = 7200;       // of local time after midnight
        bool operator==(const day_rule&) const = default;

        std::int64_t local_seconds(int year) const;
    };

    std::int64_t standard_ = 0;
    std::int64_t summer_ = 0;
    bool has_summer_ = false;
    day_rule begin_{};  // of summer time, in standard time
    day_rule end_{};    // in summer time
};

}  // namespace hob::util
