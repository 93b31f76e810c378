#include "unit/process/line_watch.hpp"

#include "limits.hpp"
#include "util/escape_sequences.hpp"
#include "util/utf8.hpp"

namespace hob::unit {

namespace {

// A progress display rewrites its line for as long as it runs: what it has overwritten makes room.
void append(std::string& line, std::string_view part) {
    if (line.size() + part.size() > limits::log_line_max && part.find('\r') != std::string_view::npos) {
        line.append(part);
        const bool returned = line.ends_with('\r');
        line = util::visible_line(line);
        if (returned) line += '\r';
        part = {};
    }
    if (line.size() < limits::log_line_max) line.append(part.substr(0, limits::log_line_max - line.size()));
}

}  // namespace

bool line_watch::feed(std::string_view stream, std::string_view bytes) {
    auto partial = partial_lines_.find(stream);
    if (partial == partial_lines_.end()) partial = partial_lines_.emplace(stream, std::string()).first;
    std::string& line = partial->second;
    bool matched = false;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        append(line, part);
        if (end == std::string_view::npos) break;
        matched = matched || matches(line);
        line.clear();
        bytes.remove_prefix(end + 1);
    }
    return matched;
}

bool line_watch::matches_partial_line() {
    for (const auto& [stream, line] : partial_lines_) {
        if (!line.empty() && matches(line)) return true;
    }
    return false;
}

bool line_watch::matches(std::string_view line) {
    const std::string visible = util::visible_line(line);
    const std::string_view text = std::string_view(visible).substr(0, limits::regex_line_max);
    return pattern_.search(text.substr(0, util::utf8_uncut(text)), &captured_);
}

}  // namespace hob::unit
