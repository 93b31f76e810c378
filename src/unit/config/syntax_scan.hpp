#pragma once
// What is checked on the bytes of hob.toml before they are parsed.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hob::unit {

// Throws syntax_error for a NUL byte, for what is not UTF-8, for letters beyond ASCII outside of strings and
// comments, and for a key of so many parts that a parser's recursion could exhaust the stack (toml++ 3.3
// bounds the nesting of values, not of keys).
void scan_text(std::string_view bytes);

// The [KIND.NAME] headers of a text that need not be valid, as (kind, name), in file order.
std::vector<std::pair<std::string, std::string>> scan_headers(std::string_view bytes);

}  // namespace hob::unit
