// A pattern that a language server registers, a newline, a path: matching ends, and braces stand for their
// words.

#include <string>

#include "fuzz/target.hpp"
#include "limits.hpp"
#include "unit/protocol/lsp/text.hpp"

using namespace hob;
using test::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view text = test::text_of(bytes, size);
    const auto newline = text.find('\n');
    if (newline == std::string_view::npos || text.find('\0') != std::string_view::npos) return 0;
    const std::string_view pattern = text.substr(0, newline), path = text.substr(newline + 1);
    const bool matched = unit::lsp_glob(pattern).matches(path);
    claim(unit::lsp_glob(pattern).matches(path) == matched, "a pattern says the same twice");
    if (pattern.size() > limits::path_pattern_max) claim(matched, "what is too long matches everything");
    // Few enough that the alternatives of the whole are within the limit as well.
    if (pattern.find_first_of("{}") != std::string_view::npos ||
        pattern.size() > limits::path_pattern_max / 4)
        return 0;
    const std::string either = "{" + std::string(pattern) + ",no/such/path}";
    const bool comma = pattern.find(',') != std::string_view::npos;
    if (!comma && path != "no/such/path")
        claim(unit::lsp_glob(either).matches(path) == matched, "braces stand for their words");
    return 0;
}
