#pragma once
// Patterns of paths as people write them: `{a,b}`, `.`, `./x`, `a/../b`. What has no meaning here is an
// error, so that no pattern silently matches nothing.

#include <string>
#include <string_view>
#include <vector>

namespace hob::util {

struct path_patterns {
    std::vector<std::string> patterns;  // relative, without braces, `.` and `..`
    std::string error;                  // not empty: what is wrong, as in "is absolute"
    std::string hint;
};

// The patterns that `text` stands for. `.` stands for everything.
path_patterns expand_path_pattern(std::string_view text);

}  // namespace hob::util
