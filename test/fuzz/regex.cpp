// Regular expressions: refused with a reason, or compiled within bounds. The first line is the expression,
// the rest the text.

#include "util/regex.hpp"

#include <string>

#include "fuzz/target.hpp"

using namespace hob;
using test::claim;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    const std::string_view input = test::text_of(bytes, size);
    const std::string pattern(input.substr(0, input.find('\n')));
    const std::string_view text = input.substr(pattern.size());
    const auto strict = util::find_regex_fault(pattern, util::bracket_backslash::refused);
    const auto lenient = util::find_regex_fault(pattern, util::bracket_backslash::escapes);
    claim(!lenient || strict, "what is refused with backslashes in brackets is refused without them");
    for (const auto& fault : {strict, lenient})
        claim(!fault || !fault->reason.empty(), "a fault has a reason");
    if (lenient) return 0;
    const util::regex expression(pattern);
    std::string group;
    const bool found = expression.search(text, &group);
    claim(found == expression.search(text), "a group changes nothing");
    claim(!found || text.find(group) != std::string_view::npos, "a group is part of the text");
    util::has_lazy_repetition(pattern);
    return 0;
}
