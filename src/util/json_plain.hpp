#pragma once
// The part of a JSON string that stands for itself, found eight bytes at a time.

#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace hob::util {

// How many bytes from the front are ASCII and neither quote, backslash nor control character.
inline std::size_t json_plain_prefix(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    constexpr std::uint64_t tops = 0x8080808080808080u;
    static_assert(std::endian::native == std::endian::little);  // the first byte is the lowest
    std::size_t at = 0;
    for (std::uint64_t word = 0; text.size() - at >= sizeof word; at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        const std::uint64_t quote = word ^ (ones * '"');
        const std::uint64_t backslash = word ^ (ones * '\\');
        // A borrow can mark bytes above one that is marked rightly, never below.
        const std::uint64_t found =
            ((word - ones * 0x20u) | (quote - ones) | (backslash - ones) | word) & tops;
        if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
    for (; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
    }
    return at;
}

}  // namespace hob::util
