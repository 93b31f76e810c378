#pragma once
// // Searches the lines of a process's output for a pattern. Only whole lines count, since the rest of a
// partial line may change whether it matches; unless the rest does not come, as after a question. Of a line
// over limits::log_line_max bytes, only so many are searched.

#include <regex.h>

#include <map>
#include <string>
#include <string_view>

namespace hob::unit {

class line_watch {
public:
    // `pattern`: a POSIX extended regular expression that compiles.
    explicit line_watch(const std::string& pattern);
    ~line_watch();
    line_watch(const line_watch&) = delete;
    line_watch& operator=(const line_watch&) = delete;

    // True if a line that ends in `bytes` matches.
    bool feed(std::string_view stream, std::string_view bytes);
    // True if an unfinished line matches as it is.
    bool matches_partial_line();
    // What the first group matched in the last line that matched; empty: there is no such group.
    const std::string& captured() const { return captured_; }

private:
    bool matches(std::string_view line);

    regex_t compiled_{};
    std::string captured_;
    std::map<std::string, std::string, std::less<>> partial_lines_;  // by stream
};

}  // namespace hob::unit
