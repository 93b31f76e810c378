#pragma once
// What a language server reports of work of its own: $/progress, from its begin to its end.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

class lsp_progress {
public:
    // `token`: raw. Words about what has not begun, or has ended, or is more than is counted, change nothing.
    void heard(std::string_view token, std::string_view value);
    bool empty() const { return all_.empty(); }
    // One of them, for people; empty: there is none.
    std::string text() const;

private:
    struct work {
        std::string title;
        std::optional<std::int64_t> percent;
    };
    std::map<std::string, work, std::less<>> all_;  // by token
};

}  // namespace hob::unit
