#pragma once
// JSON indented for people, and on one line. Both change white space only: every string and number keeps its
// bytes. The text should be valid (validate_json); for invalid text the result is unspecified text.

#include <string>
#include <string_view>

namespace hob::util {

// Indented by 2, without a newline at the end. `color`: ANSI colours for keys, strings, numbers and literals.
std::string json_pretty(std::string_view text, bool color);

// Without insignificant white space.
std::string json_compact(std::string_view text);

}  // namespace hob::util
