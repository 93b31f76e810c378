#pragma once
// One record of a log as the verb `logs` prints it.

#include <string>
#include <string_view>

#include "cmd/core/output.hpp"
#include "util/log_reader_record.hpp"

namespace hob::cmd {

// "13:02:11.123 info    lifecycle  message key=value" or "13:02:11.123 stdout  message" with its newline; the
// date before it when it is not `today` ("2026-01-02"). A line that is no record stays as it is. On a
// terminal, control sequences are spelt out, except colours.
std::string log_record_text(const util::log_record& record, const terminal& out, std::string_view today);

// The line of the record if it is JSON, else an object with its members; with a newline.
std::string log_record_json(const util::log_record& record, std::string_view line);

}  // namespace hob::cmd
