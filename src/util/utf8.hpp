#pragma once
// UTF-8 as in RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.

#include <cstddef>
#include <string>
#include <string_view>

namespace hob::util {

bool is_utf8(std::string_view bytes);

// The length of the well-formed sequence at the start of `bytes` (1 to 4), or 0 if there is none.
std::size_t utf8_sequence(std::string_view bytes);

// The size of `bytes`, a part of a text, without an incomplete sequence at its end.
std::size_t utf8_uncut(std::string_view bytes);

// Appends `code_point`, which must be at most 0x10FFFF and no surrogate.
void utf8_append(std::string& out, char32_t code_point);

}  // namespace hob::util
