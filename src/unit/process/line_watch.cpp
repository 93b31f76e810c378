#include "unit/process/line_watch.hpp"

#include "error.hpp"
#include "limits.hpp"

namespace hob::unit {

line_watch::line_watch(const std::string& pattern) {
    if (::regcomp(&compiled_, pattern.c_str(), REG_EXTENDED) != 0)
        throw failure(error_kind::internal, "cannot compile '" + pattern + "': it was to be checked before");
}

line_watch::~line_watch() { ::regfree(&compiled_); }

bool line_watch::feed(std::string_view stream, std::string_view bytes) {
    auto place = begun_.find(stream);
    if (place == begun_.end()) place = begun_.emplace(stream, std::string()).first;
    std::string& line = place->second;
    bool found = false;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (line.size() < limits::log_line_max)
            line.append(part.substr(0, limits::log_line_max - line.size()));
        if (end == std::string_view::npos) break;
        found = found || matches(line);
        line.clear();
        bytes.remove_prefix(end + 1);
    }
    return found;
}

bool line_watch::matches(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    regmatch_t all[2] = {};
    all[0].rm_so = 0;
    all[0].rm_eo = static_cast<regoff_t>(line.size());
    if (::regexec(&compiled_, line.data(), 2, all, REG_STARTEND) != 0) return false;
    captured_.clear();
    if (compiled_.re_nsub > 0 && all[1].rm_so >= 0)
        captured_ = line.substr(static_cast<std::size_t>(all[1].rm_so),
                                static_cast<std::size_t>(all[1].rm_eo - all[1].rm_so));
    return true;
}

}  // namespace hob::unit
