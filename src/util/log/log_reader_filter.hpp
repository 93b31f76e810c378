#pragma once
// Selecting records of a log by time, level, run and text.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "util/log/log_reader_record.hpp"
#include "util/regex.hpp"

namespace hob::util {

// A point in time as people write it: RFC 3339; "2026-01-02", "2026-01-02 13:02[:11]" or "13:02[:11]" (today)
// in the local zone; or a duration before `now` such as "10m". nullopt: none of these.
std::optional<std::chrono::system_clock::time_point> parse_when(std::string_view text,
                                                                std::chrono::system_clock::time_point now);

class log_filter {
public:
    std::optional<std::chrono::system_clock::time_point> since;  // inclusive
    std::optional<std::chrono::system_clock::time_point> until;  // exclusive
    std::optional<level> lowest;
    std::optional<std::int64_t> run;  // only records of this run of a unit

    // A regular expression of util/regex.hpp, searched in what a terminal shows of message_and_fields().
    // Throws failure(usage) when it has a fault.
    void search_for(const std::string& expression);

    // A line that is not a record matches only without limits of time and level.
    bool matches(const log_record& record) const;

private:
    std::shared_ptr<const regex> search_;  // shared by copies of the filter
};

}  // namespace hob::util
