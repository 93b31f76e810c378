#include "unit/process/line_watch.hpp"

#include "error.hpp"
#include "limits.hpp"

namespace hob::unit {

line_watch::line_watch(const std::string& pattern) {
    if (::regcomp(&compiled_, pattern.c_str(), REG_EXTENDED) != 0)
        throw failure(error_kind::internal, cannot("compile", pattern), "the configuration did not check it");
}

line_watch::~line_watch() { ::regfree(&compiled_); }

bool line_watch::feed(std::string_view stream, std::string_view bytes) {
    auto partial = partial_lines_.find(stream);
    if (partial == partial_lines_.end()) partial = partial_lines_.emplace(stream, std::string()).first;
    std::string& line = partial->second;
    bool matched = false;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (line.size() < limits::log_line_max)
            line.append(part.substr(0, limits::log_line_max - line.size()));
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
    if (line.ends_with('\r')) line.remove_suffix(1);
    regmatch_t groups[2] = {};
    groups[0].rm_so = 0;
    groups[0].rm_eo = static_cast<regoff_t>(line.size());
    if (::regexec(&compiled_, line.data(), 2, groups, REG_STARTEND) != 0) return false;
    captured_.clear();
    if (compiled_.re_nsub > 0 && groups[1].rm_so >= 0)
        captured_ = line.substr(static_cast<std::size_t>(groups[1].rm_so),
                                static_cast<std::size_t>(groups[1].rm_eo - groups[1].rm_so));
    return true;
}

}  // namespace hob::unit
