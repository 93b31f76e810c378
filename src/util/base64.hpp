#pragma once
// Base64 with the standard alphabet and padding (RFC 4648, section 4), for bytes that are not UTF-8.

#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

std::string base64_encode(std::string_view bytes);

// nullopt: a character outside the alphabet, wrong padding, or non-zero unused bits.
std::optional<std::string> base64_decode(std::string_view text);

}  // namespace hob::util
