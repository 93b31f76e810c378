#pragma once
// Whether a line of a process's output matches. Only whole lines count: what a write ends in the middle of
// may go on otherwise. A line over limits::log_line_max is searched as far as that.

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

    // True when a line that ends in `bytes` matches.
    bool feed(std::string_view stream, std::string_view bytes);
    // What the first group matched in the last line that did; empty: there is none.
    const std::string& captured() const { return captured_; }

private:
    bool matches(std::string_view line);

    regex_t compiled_{};
    std::string captured_;
    std::map<std::string, std::string, std::less<>> begun_;  // by stream: a line's beginning
};

}  // namespace hob::unit
