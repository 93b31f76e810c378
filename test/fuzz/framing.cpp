// The reader of Content-Length headers returns the same messages however the bytes arrive. The first byte of
// the input chooses how.

#include <string>
#include <vector>

#include "fuzz/target.hpp"
#include "limits.hpp"
#include "unit/protocol/framing.hpp"
#include "util/json/json_cut.hpp"
#include "util/json/json_text.hpp"

using namespace hob;
using test::claim;

namespace {

struct read_frame {
    std::string line;
    bool oversized;
    bool operator==(const read_frame&) const = default;
};

// The frames of `text` that arrives in pieces, the first `piece` bytes long, each longer than the one before
// by `growth`.
std::vector<read_frame> frames_of(std::string_view text, std::size_t piece, std::size_t growth) {
    unit::header_framing framing;
    std::vector<read_frame> all;
    const auto take = [&](const std::optional<ipc::frame>& frame) {
        if (!frame) return false;
        claim(!frame->oversized || frame->line.size() <= ipc::text_ends::size_max,
              "an oversized body is skipped");
        all.push_back({frame->oversized ? "" : std::string(frame->line), frame->oversized});
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

// A message that is complete before its end is one, and nothing is returned twice.
void check_early(std::string_view text, std::size_t piece) {
    unit::header_framing framing;
    std::size_t returned = 0;
    for (std::size_t at = 0; at < text.size(); at += piece) {
        framing.feed(text.substr(at, piece));
        while (const auto frame = framing.next())
            returned += frame->oversized ? 0 : frame->line.size();
        const auto early = framing.early();
        if (!early) continue;
        claim(util::json_value_prefix(early->line) > 0, "what came early begins with JSON");
        returned += early->line.size();
    }
    claim(returned <= text.size(), "nothing is returned twice, also early");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
    if (size < 1) return 0;
    const std::string_view text = test::text_of(bytes + 1, size - 1);
    const auto whole = frames_of(text, text.size(), 0);
    claim(whole == frames_of(text, 1, 0), "single bytes give the same messages");
    claim(whole == frames_of(text, 1 + bytes[0] % 32u, bytes[0] / 32u), "pieces give the same messages");
    std::size_t returned = 0;
    for (const auto& frame : whole)
        returned += frame.line.size();
    claim(returned <= text.size(), "nothing is returned twice");

    check_early(text, 1 + bytes[0] % 32u);
    // The beginning of another header at the end of a body is not part of it.
    if (!text.ends_with('}') && util::validate_json(text, limits::json_depth_max)) return 0;
    const std::string message(text);
    const auto decoded = frames_of(unit::header_framing().encode(message), 1 + bytes[0], 0);
    claim(decoded.size() == 1 && decoded[0] == read_frame{message, false}, "an encoded message is read back");
    return 0;
}
