#pragma once
// A line of the daemon's or a unit's log, parsed as far as possible.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "util/log/log.hpp"

namespace hob::util {

struct log_record {
    std::optional<std::chrono::system_clock::time_point> time;
    std::optional<level> severity;  // of the daemon's records
    std::string channel;            // likewise
    std::string stream;             // of a unit's records: stdout, stderr, hob
    std::int64_t run = 0;           // likewise: the id of the run; 0: none
    std::string message;            // bytes; the whole line if it is not a record
    // Strings unquoted, other values as JSON text.
    std::vector<std::pair<std::string, std::string>> fields;
    bool partial = false;  // the line continues in the next record of the stream
    bool newline = true;   // the line ended with one, where the stream ended
    bool json = false;     // the line is a JSON object
    bool understood = false;
};

// Parses JSON records, and the text that the daemon writes with `format = "text"`. Never fails: see
// `understood`.
log_record parse_log_record(std::string_view line);

// The message and its fields, `message key=value key="a b"`: what people see and what a search matches.
std::string message_and_fields(const log_record& record);

}  // namespace hob::util
