#pragma once
// One record of a log as `hob logs` prints it.

#include <string>
#include <string_view>

#include "cmd/core/output.hpp"
#include "util/log_reader_record.hpp"

namespace hob::cmd {

// "13:02:11.123 info    lifecycle  message key=value" or "13:02:11.123 stdout  message" with its newline; the
// date before it when it is not `today` ("2026-01-02"). A line that is no record as it is. On a terminal
// nothing but colours gets through that could move the cursor.
std::string log_record_text(const util::log_record& record, const terminal& out, std::string_view today);

// The record's own line, or, where that is no JSON, an object with what is known of it; with its newline.
std::string log_record_json(const util::log_record& record, std::string_view line);

}  // namespace hob::cmd
