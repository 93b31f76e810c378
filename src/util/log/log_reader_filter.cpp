#include "util/log/log_reader_filter.hpp"

#include <charconv>

#include "error.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"
#include "util/escape_sequences.hpp"
#include "util/regex.hpp"

namespace hob::util {
namespace {

using std::chrono::system_clock;

// Numbers of exactly these widths with these characters between them, such as "dddd-dd-dd".
bool scan(std::string_view text, std::string_view shape, std::initializer_list<int*> into) {
    if (text.size() != shape.size()) return false;
    auto target = into.begin();
    for (std::size_t i = 0; i < shape.size(); ++i) {
        if (shape[i] != 'd') {
            if (text[i] != shape[i]) return false;
            continue;
        }
        if (text[i] < '0' || text[i] > '9') return false;
        if (i == 0 || shape[i - 1] != 'd') **target = 0;
        **target = **target * 10 + (text[i] - '0');
        if (i + 1 == shape.size() || shape[i + 1] != 'd') ++target;
    }
    return true;
}

bool scan_time(std::string_view text, civil_time& civil) {
    civil.second = 0;
    return scan(text, "dd:dd", {&civil.hour, &civil.minute}) ||
           scan(text, "dd:dd:dd", {&civil.hour, &civil.minute, &civil.second});
}

}  // namespace

std::optional<system_clock::time_point> parse_when(std::string_view text, system_clock::time_point now) {
    if (const auto time = parse_rfc3339(text)) return time;
    if (const auto ago = parse_duration(text)) return now - *ago;
    civil_time civil = to_local(now);
    if (scan_time(text, civil)) return from_local(civil);
    civil.hour = civil.minute = civil.second = 0;
    if (!scan(text.substr(0, 10), "dddd-dd-dd", {&civil.year, &civil.month, &civil.day})) return std::nullopt;
    if (text.size() == 10) return from_local(civil);
    if (text[10] != ' ' && text[10] != 'T') return std::nullopt;
    return scan_time(text.substr(11), civil) ? from_local(civil) : std::nullopt;
}

void log_filter::search_for(const std::string& text) {
    if (const auto fault = find_regex_fault(text, bracket_backslash::escapes)) {
        throw failure(error_kind::usage, cannot("use", text, "as a regular expression"), fault->reason,
                      fault->hint);
    }
    search_ = std::make_shared<const regex>(text);
}

bool log_filter::matches(const log_record& record) const {
    if (since && (!record.time || *record.time < *since)) return false;
    if (until && (!record.time || *record.time >= *until)) return false;
    if (run && record.run != *run) return false;
    if (lowest && (!record.severity || *record.severity < *lowest)) return false;
    return !search_ || search_->search(visible_line(message_and_fields(record)));
}

}  // namespace hob::util
