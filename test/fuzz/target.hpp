#pragma once
// What fuzz targets share. A target is LLVMFuzzerTestOneInput in a file of its own: ./dev fuzz runs it with
// libFuzzer,
// ./dev test replays the inputs of corpus/<target>. A claim that does not hold ends the process, which both
// notice.

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace hob::test {

inline void claim(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "fuzz: it does not hold that %s\n", what);
    std::abort();
}

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
    return {reinterpret_cast<const char*>(bytes), size};
}

}  // namespace hob::test

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
