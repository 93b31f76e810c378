#pragma once
// Searches the lines of a process's output for a pattern. Only whole lines count, since the rest of a
// partial line may change whether it matches; unless the rest does not come, as after a question. Searched
// are the first limits::regex_line_max bytes of what a terminal shows of a line.

#include <map>
#include <string>
#include <string_view>

#include "util/regex.hpp"

namespace hob::unit {

class line_watch {
public:
    // `pattern` has no fault, see util/regex.hpp.
    explicit line_watch(const std::string& pattern) : pattern_(pattern) {}

    // True if a line that ends in `bytes` matches.
    bool feed(std::string_view stream, std::string_view bytes);
    // True if an unfinished line matches as it is.
    bool matches_partial_line();
    // What the first group matched in the last line that matched; empty: there is no such group.
    const std::string& captured() const { return captured_; }

private:
    bool matches(std::string_view line);

    util::regex pattern_;
    std::string captured_;
    std::map<std::string, std::string, std::less<>> partial_lines_;  // by stream
};

}  // namespace hob::unit
