#pragma once
// One record of a log as the verb `logs` prints it.

#include <cstdint>
#include <string>
#include <string_view>

#include "cmd/core/output.hpp"
#include "util/log/log_reader_record.hpp"

namespace hob::cmd {

enum class log_format : std::uint8_t {
    brief,    // time and text; messages of hob in a unit's log are left out
    verbose,  // also the stream, and the messages of hob
    raw,      // the text alone, as the program wrote it
};

struct log_style {
    terminal out;
    log_format format = log_format::brief;
    bool escapes = true;  // in a pipe: keep the program's escape sequences
};

// The style for standard output with these options; escape sequences are removed with --color never.
log_style log_style_for_output(log_format format);

// Whether the record is shown in this format.
bool is_shown(const util::log_record& record, log_format format);

// A line that a program has printed, without newline, as it may be shown here. On a terminal only colours of
// its escape sequences are kept.
std::string program_text(std::string_view line, const log_style& style);

// "13:02:11.123 info    lifecycle  message key=value" of the daemon, "13:02:11.123 message" of a unit, with
// its newline, and with the date before it unless it is `today` ("2026-01-02"). A line that is not a record
// is printed unchanged. On a terminal only colours of the program's escape sequences are kept.
std::string log_record_text(const util::log_record& record, const log_style& style, std::string_view today);

// The line of the record if it is JSON, else an object with its members; with a newline.
std::string log_record_json(const util::log_record& record, std::string_view line);
// The same with the member "unit" before the others.
std::string log_record_json(const util::log_record& record, std::string_view line, std::string_view unit);

}  // namespace hob::cmd
