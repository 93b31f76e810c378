// The reader of Content-Length headers: the same messages, however the bytes are cut. The first byte says
// how.

#include <string>
#include <vector>

#include "fuzz/target.hpp"
#include "limits.hpp"
#include "unit/protocol/message_codec.hpp"

using namespace hob;
using test::claim;

namespace {

struct seen {
    std::string line;
    bool oversized;
    bool operator==(const seen&) const = default;
};

// What comes of `text` in pieces that are `piece` bytes long, and get longer by `growth` each.
std::vector<seen> framed(std::string_view text, std::size_t piece, std::size_t growth) {
    unit::header_framing framing;
    std::vector<seen> all;
    const auto take = [&](const std::optional<ipc::frame>& frame) {
        if (!frame) return false;
        claim(!frame->oversized || frame->line.empty(), "what is skipped is not handed out");
        all.push_back({std::string(frame->line), frame->oversized});
        return true;
    };
    while (!text.empty()) {
        const std::string_view part = text.substr(0, piece);
        text.remove_prefix(part.size());
        piece += growth;
        framing.feed(part);
        while (take(framing.next())) {
        }
    }
    while (take(framing.last())) {
    }
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text = test::text_of(bytes + 1, size - 1);
    const auto whole = framed(text, text.size(), 0);
    claim(whole == framed(text, 1, 0), "byte for byte there are the same messages");
    claim(whole == framed(text, 1 + bytes[0] % 32u, bytes[0] / 32u), "in pieces there are the same messages");
    std::size_t taken = 0;
    for (const auto& one : whole)
        taken += one.line.size();
    claim(taken <= text.size(), "nothing is handed out twice");

    const std::string message(text);
    const auto back = framed(unit::header_framing().encode(message), 1 + bytes[0], 0);
    claim(back.size() == 1 && back[0] == seen{message, false}, "what is written is read as the same");
    return 0;
}
