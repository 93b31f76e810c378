#pragma once
// A line of the daemon's or a unit's log, understood as far as it can be.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "util/log.hpp"

namespace hob::util {

struct log_record {
    std::optional<std::chrono::system_clock::time_point> time;
    std::optional<level> severity;  // of the daemon's records
    std::string channel;            // likewise
    std::string stream;             // of a unit's records: stdout, stderr, hob
    std::int64_t run = 0;           // likewise: of which run; 0: of none
    std::string message;            // bytes; of a line that is no record, the line
    std::vector<std::pair<std::string, std::string>>
        fields;            // strings unquoted, everything else as JSON text
    bool partial = false;  // the line goes on in the next record of the stream
    bool json = false;     // the line is a JSON object
    bool understood = false;
};

// JSON records, and the text that the daemon writes with `format = "text"`. Never fails: see `understood`.
log_record parse_log_record(std::string_view line);

// The message and its fields, `message key=value key="a b"`: what people see and what is searched.
std::string message_and_fields(const log_record& record);

}  // namespace hob::util
