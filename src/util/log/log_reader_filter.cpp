#include "util/log/log_reader_filter.hpp"

#include <boost/regex.hpp>

#include <charconv>

#include "error.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"
#include "util/escape_sequences.hpp"

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

struct log_filter::expression {
    std::string text;
    boost::regex compiled;
};

void log_filter::search_for(const std::string& text) {
    try {
        search_ = std::make_shared<const expression>(expression{text, boost::regex(text)});
    } catch (const boost::regex_error& error) {
        std::string reason = error.what();
        // Boost appends the position over several sentences: the first sentence is enough.
        reason = reason.substr(0, reason.find("  The error occurred"));
        while (!reason.empty() && (reason.back() == '.' || reason.back() == ' '))
            reason.pop_back();
        throw failure(error_kind::usage, cannot("use", text, "as a regular expression"), reason);
    }
}

bool log_filter::matches(const log_record& record) const {
    if (since && (!record.time || *record.time < *since)) return false;
    if (until && (!record.time || *record.time >= *until)) return false;
    if (run && record.run != *run) return false;
    if (lowest && (!record.severity || *record.severity < *lowest)) return false;
    if (!search_) return true;
    try {
        std::string text = without_escape_sequences(message_and_fields(record));
        if (text.ends_with('\r')) text.pop_back();
        return boost::regex_search(text, search_->compiled);
    } catch (const std::runtime_error&) {
        throw failure(error_kind::usage, cannot("use", search_->text, "as a regular expression"),
                      "it takes too long to match");
    }
}

}  // namespace hob::util
