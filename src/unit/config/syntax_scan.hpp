#pragma once
// Checks of the bytes of hob.toml before they are parsed.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hob::unit {

// Throws syntax_error for a NUL byte, for bytes that are not UTF-8, for letters beyond ASCII outside of
// strings and comments, and for a key of so many parts that a recursive parser could exhaust the stack:
// toml++ 3.3 limits the nesting of values, but not that of keys.
void scan_text(std::string_view bytes);

// The [KIND.NAME] headers of a text, as (kind, name), in file order. The text need not be valid.
std::vector<std::pair<std::string, std::string>> scan_headers(std::string_view bytes);

}  // namespace hob::unit
