#pragma once
// JSON for people, and on one line. Both move white space only: every string and number keeps its bytes. The
// text must be valid (validate_json); of an invalid one some text is made, without fault.

#include <string>
#include <string_view>

namespace hob::util {

// Indented by 2, without a newline at the end. `color`: ANSI, keys, strings, numbers and literals told apart.
std::string json_pretty(std::string_view text, bool color);

// Without insignificant white space.
std::string json_compact(std::string_view text);

}  // namespace hob::util
