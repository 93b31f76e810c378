#include "unit/watch/cause_of_change.hpp"

#include <algorithm>

namespace hob::unit {

std::string cause_of_change(const std::vector<std::string>& paths, const std::string& note) {
    if (!note.empty() || paths.empty()) return note;
    const auto plain = std::find_if(paths.begin(), paths.end(), [](const std::string& path) {
        return path.find('\n') == std::string::npos;
    });
    std::string cause = plain == paths.end() ? "a path with a newline" : *plain;
    if (paths.size() > 1) cause += " and " + std::to_string(paths.size() - 1) + " more";
    return cause;
}

}  // namespace hob::unit
