#pragma once
// Escape sequences of terminals (ECMA-48): colours, cursor movements, titles.

#include <cstddef>
#include <string>
#include <string_view>

namespace hob::util {

// The length of the escape sequence at the start of `text`, or 0 if there is none. A sequence that is cut off
// at the end of `text` counts as well.
std::size_t escape_sequence_length(std::string_view text);

// `text` without its escape sequences.
std::string without_escape_sequences(std::string_view text);

// `text` without those that are not colours (ESC [ … m).
std::string with_colors_alone(std::string_view text);

// What a terminal leaves of a line that is printed: without escape sequences, without carriage returns at its
// end, and without what a carriage return before other text lets be overwritten.
std::string visible_line(std::string_view line);
// Likewise, with the colours.
std::string visible_colored_line(std::string_view line);

}  // namespace hob::util
