// The reader of lines against the obvious one: the same lines, however the bytes are cut. The first byte says
// the cap on a line, the second how they are cut.

#include "ipc/frame.hpp"

#include <string>
#include <vector>

#include "fuzz/target.hpp"

using hob::test::claim;

namespace {

struct seen {
    std::string line;
    bool oversized;
    bool operator==(const seen&) const = default;
};

std::vector<seen> expected(std::string_view bytes, std::size_t cap) {
    std::vector<seen> lines;
    while (!bytes.empty()) {
        const auto end = bytes.find('\n');
        const std::string_view line = bytes.substr(0, end);
        if (line.size() > cap)
            lines.push_back({"", true});
        else
            lines.push_back({std::string(line), false});
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
    }
    return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t cap = 1 + bytes[0] % 64u * 8;
    const std::size_t piece = 1 + bytes[1];
    const std::string_view text = hob::test::text_of(bytes + 2, size - 2);
    hob::ipc::line_reader reader(cap);
    std::vector<seen> lines;
    const auto take = [&](const std::optional<hob::ipc::frame>& frame) {
        if (!frame) return false;
        lines.push_back({frame->oversized ? "" : std::string(frame->line), frame->oversized});
        return true;
    };
    for (std::size_t at = 0; at < text.size(); at += piece) {
        const std::string_view part = text.substr(at, piece);
        reader.feed(part);
        while (take(reader.next())) {
        }
        if (part.size() % 3 == 0) reader.trim();
    }
    take(reader.last());
    claim(lines == expected(text, cap), "the lines are those between the newlines");
    claim(reader.capacity() <= (1u << 20), "memory stays within what lines of that size need");
    return 0;
}
