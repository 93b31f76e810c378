#pragma once
// Wall-clock times as text and as numbers.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

// Milliseconds since 1970, rounded down.
inline std::int64_t ms_of(std::chrono::system_clock::time_point time) {
    return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}
inline std::optional<std::int64_t> ms_of(const std::optional<std::chrono::system_clock::time_point>& time) {
    return time ? std::optional(ms_of(*time)) : std::nullopt;
}
inline std::chrono::system_clock::time_point time_of_ms(std::int64_t ms) {
    return std::chrono::system_clock::time_point(std::chrono::milliseconds(ms));
}

// "2026-01-02T03:04:05.678+01:00" in the local zone, with "Z" where its offset is zero. Milliseconds are cut
// off, not rounded. Years outside 0000-9999 are shown as the nearest one inside. Cheap: the text of the last
// second is cached.
std::string rfc3339(std::chrono::system_clock::time_point time);

// Strict RFC 3339: date, 'T' or 't' or a blank, time, an optional fraction (digits beyond the microseconds
// are cut off), and a zone. nullopt: anything else, such as 30 February.
std::optional<std::chrono::system_clock::time_point> parse_rfc3339(std::string_view text);

// A calendar time of the local zone. Converting it: out-of-range members give nullopt, a time that the change
// to daylight saving time skips moves on by the skipped hour, and a time that occurs twice means the first.
struct civil_time {
    int year = 1970;
    int month = 1;  // 1-12
    int day = 1;    // 1-31
    int hour = 0;
    int minute = 0;
    int second = 0;  // 60 is read as 59
};
std::optional<std::chrono::system_clock::time_point> from_local(const civil_time& civil);
civil_time to_local(std::chrono::system_clock::time_point time);

// `text` with each RFC 3339 time in it as "2026-01-02 03:04:05" of the local zone.
std::string with_local_times(std::string_view text);

}  // namespace hob::util
