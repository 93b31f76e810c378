#pragma once
// The sinks of the daemon's log, as Boost.Log backends. Part of util/log.
//
// A record carries "Severity" (level), "Channel" (std::string), "Message" (log_text) and "Fields"
// (log_fields). The two last are views of the caller's arguments: every sink is synchronous, so they outlive
// the record.

#include <boost/log/sinks/sink.hpp>
#include <boost/shared_ptr.hpp>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "util/log/log.hpp"
#include "util/log/rotating_file.hpp"

namespace hob::util {

struct log_text {
    std::string_view text;
};

struct log_fields {
    std::span<const log_field> fields;
    bool about_file = false;  // reports why the file cannot be written: not for the file itself
};

// One record, extracted from Boost.Log's attributes.
struct log_entry {
    level severity = level::info;
    std::string_view channel;
    std::string_view message;
    std::span<const log_field> fields;
    bool about_file = false;
};

// {"ts":…,"level":…,"channel":…,"msg":…,…fields} and a newline. At most a few KiB: long texts are cut and end
// in "…".
std::string json_record(const log_entry& entry);
// "<time> info     lifecycle message key=value" without a newline; control characters become blanks.
std::string text_record(const log_entry& entry, bool full_date);
std::string text_fields(std::span<const log_field> fields);

using sink_ptr = boost::shared_ptr<boost::log::sinks::sink>;  // Boost.Log's core is the other owner

// The file is shared with log.cpp, which keeps it over a reload.
sink_ptr make_file_sink(std::shared_ptr<rotating_file> file, bool json);
// Never blocks: records that do not fit into a full pipe are dropped and counted, and the count is written
// later.
sink_ptr make_stderr_sink();
// Sends datagrams to /dev/log. Unlike syslog(3), and so Boost's native backend, it does not wait for a reader
// that has stopped. Reconnects after a restart of syslogd.
sink_ptr make_syslog_sink(const std::string& program);

// The record about lost records, as a JSON or text line.
std::string loss_record(bool json, std::uint64_t lost, std::string_view reason);

}  // namespace hob::util
