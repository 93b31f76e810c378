#pragma once
// Regular expressions in the syntax of RE2: a search takes time linear in the text, and the memory is bounded
// by limits::regex_memory_max. What POSIX extended expressions write otherwise is a fault, so that no
// expression silently means something else.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

// What a backslash in brackets means. POSIX takes it as a character, Perl and RE2 as an escape.
enum class bracket_backslash { refused, escapes };

struct regex_fault {
    std::string reason;  // "missing ): abc("
    std::string hint;    // how RE2 writes what was meant; may be empty
};

// Why `pattern` cannot be used; nullopt: it can.
std::optional<regex_fault> find_regex_fault(const std::string& pattern, bracket_backslash backslash);

// Whether a `?` after another repetition asks for a match that is as short as possible. Matches of the class
// below are as long as possible.
bool has_lazy_repetition(std::string_view pattern);

class regex {
public:
    // `pattern` has no fault.
    explicit regex(const std::string& pattern);
    ~regex();
    regex(const regex&) = delete;
    regex& operator=(const regex&) = delete;

    // Whether the leftmost, longest match exists anywhere in `text`. A text that is not UTF-8 is taken as
    // Latin-1. `group`: set to what the first group matched, or to "".
    bool search(std::string_view text, std::string* group = nullptr) const;
    std::size_t groups() const;

    struct match {
        std::size_t begin = 0;
        std::size_t end = 0;
        std::string group;  // what the first group matched
    };
    // The match that search() finds.
    std::optional<match> find(std::string_view text) const;

private:
    struct compiled;
    std::unique_ptr<compiled> compiled_;
};

}  // namespace hob::util
