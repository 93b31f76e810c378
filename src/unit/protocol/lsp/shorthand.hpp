#pragma once
// `file= line= col=` in the params of a call: the position in a form that people write.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

struct lsp_shorthand {
    std::string file;                          // absolute; empty: none was given
    std::optional<std::int64_t> line, column;  // from 1
};

// Removes the shorthand from `params` and returns it. `directory` is for relative files. Throws
// failure(usage).
lsp_shorthand take_shorthand(const std::string& unit, std::string& params, const std::string& directory);

// Refuses a line behind the end of the document. Throws failure(usage).
void check_line(const std::string& unit, const lsp_shorthand& given, std::string_view text);

// Refuses members that no request of the protocol has, for a call with a shorthand: a server would ignore
// them, and answer about something else. Methods of other names may have any members. Throws failure(usage).
void check_members(const std::string& unit, const std::string& method, const std::string& params);

// Removes `title=`, the code action that a call with --apply means, and returns it. Empty: none is given.
std::string take_title(const std::string& method, std::string& params);

}  // namespace hob::unit
