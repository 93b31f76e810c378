#pragma once
// CRC-32 as zlib, PNG and Ethernet have it (polynomial 0xEDB88320, reflected). Boost's makes its table at run
// time, which costs a short-lived process more than all that it then reads.

#include <array>
#include <cstdint>
#include <string_view>

namespace hob::util {

constexpr std::array<std::uint32_t, 256> crc32_table() {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
        std::uint32_t rest = byte;
        for (int bit = 0; bit < 8; ++bit)
            rest = (rest & 1u) != 0 ? 0xEDB88320u ^ (rest >> 1) : rest >> 1;
        table[byte] = rest;
    }
    return table;
}

constexpr std::uint32_t crc32(std::string_view bytes) {
    constexpr auto table = crc32_table();
    std::uint32_t crc = 0xFFFFFFFFu;
    for (const char byte : bytes)
        crc = table[(crc ^ static_cast<unsigned char>(byte)) & 0xFFu] ^ (crc >> 8);
    return ~crc;
}

static_assert(crc32("123456789") == 0xCBF43926u);  // the check value of the algorithm

}  // namespace hob::util
