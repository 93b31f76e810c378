#pragma once
// A time zone of the tz database, read from its file: the C library knows one zone at a time.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/time_zone/zone_rule.hpp"

namespace hob::util {

class time_zone {
public:
    // The content of a zone file (RFC 8536). nullopt: it is none, or it is cut.
    static std::optional<time_zone> parse(std::string name, std::string_view content);
    static time_zone utc(std::string name);

    const std::string& name() const { return name_; }        // "Europe/Berlin"
    std::int64_t offset_at(std::int64_t utc_seconds) const;  // seconds east of UTC

    bool operator==(const time_zone&) const = default;

private:
    struct change {
        std::int64_t time = 0;  // UTC
        std::int64_t offset = 0;
        bool operator==(const change&) const = default;
    };

    std::string name_;
    std::int64_t first_offset_ = 0;  // before the first change
    std::vector<change> changes_;    // ordered by time
    std::optional<zone_rule> rule_;  // after the last change
};

struct time_zone_error {
    std::string reason;  // "is not a time zone", to be put after the name
    std::string hint;    // or empty
};

// By its name in the tz database, below $TZDIR, /usr/share/zoneinfo or /etc/zoneinfo. "UTC" needs no file.
// nullopt, with `error` filled in: there is no such zone, or no database.
std::optional<time_zone> find_time_zone(std::string_view name, time_zone_error& error);

}  // namespace hob::util
