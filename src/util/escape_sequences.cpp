#include "util/escape_sequences.hpp"

#include <algorithm>
#include <optional>

namespace hob::util {
namespace {

bool within(char c, char low, char high) { return c >= low && c <= high; }

// What follows the introducer CSI: parameters, intermediates and a final byte.
std::size_t control_sequence_length(std::string_view text) {
    std::size_t at = 0;
    while (at < text.size() && within(text[at], 0x30, 0x3f))
        ++at;
    while (at < text.size() && within(text[at], 0x20, 0x2f))
        ++at;
    return at < text.size() && within(text[at], 0x40, 0x7e) ? at + 1 : at;
}

// What follows the introducer of a control string, such as a window title: everything up to BEL or ST.
// Without either it is 0, so that the introducer alone cannot hide text.
std::size_t control_string_length(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\a') return at + 1;
        if (text.substr(at).starts_with("\x1b\\") || text.substr(at).starts_with("\xc2\x9c")) return at + 2;
    }
    return 0;
}

// `may_end`: a control string that begins here could have its terminator.
std::size_t sequence_length(std::string_view text, bool may_end) {
    constexpr std::size_t introducer = 2;  // ESC and one byte, or a C1 control in UTF-8
    const bool escape = text.starts_with('\x1b');
    if (!escape && !text.starts_with('\xc2')) return 0;
    if (text.size() < introducer) return escape ? 1 : 0;
    // "ESC [" and the C1 control U+009B mean the same, and so do all other pairs.
    if (!escape && !within(text[1], static_cast<char>(0x80), static_cast<char>(0x9f))) return 0;
    const char kind = escape ? text[1] : static_cast<char>(text[1] - 0x40);
    const std::string_view rest = text.substr(introducer);
    if (kind == '[') return introducer + control_sequence_length(rest);
    if (std::string_view("]PX^_").find(kind) != std::string_view::npos)
        return introducer + (may_end ? control_string_length(rest) : 0);
    std::size_t at = 1;
    while (escape && at < text.size() && within(text[at], 0x20, 0x2f))
        ++at;
    return escape ? std::min(at + 1, text.size()) : introducer;
}

bool is_color(std::string_view sequence) {
    return sequence.starts_with("\x1b[") && sequence.ends_with('m') &&
           sequence.find_first_not_of("0123456789;:", 2) == sequence.size() - 1;
}

// Without the sequences that are not `kept`.
template <typename Kept>
std::string filtered(std::string_view text, const Kept& kept) {
    std::string left;
    left.reserve(text.size());
    // After the last terminator no control string ends: it is not searched for again at each introducer.
    std::size_t terminated = 0;
    for (const std::string_view end : {"\a", "\x1b\\", "\xc2\x9c"}) {
        const std::size_t at = text.rfind(end);
        if (at != std::string_view::npos) terminated = std::max(terminated, at + end.size());
    }
    const std::size_t whole = text.size();
    while (!text.empty()) {
        const bool may_end = whole - text.size() < terminated;
        const std::size_t length = sequence_length(text, may_end);
        if (length == 0) left += text.front();
        if (length > 0 && kept(text.substr(0, length))) left += text.substr(0, length);
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return left;
}

}  // namespace

std::size_t escape_sequence_length(std::string_view text) { return sequence_length(text, true); }

std::string without_escape_sequences(std::string_view text) {
    return filtered(text, [](std::string_view) { return false; });
}

std::string with_colors_alone(std::string_view text) { return filtered(text, is_color); }

std::string visible_line(std::string_view line) {
    std::string plain = without_escape_sequences(line);
    while (plain.ends_with('\r'))
        plain.pop_back();
    plain.erase(0, plain.rfind('\r') + 1);
    return plain;
}

std::string visible_colored_line(std::string_view line) {
    const std::string colored = with_colors_alone(line);
    std::string shown;
    std::optional<std::size_t> returned;  // what the next text overwrites
    for (std::string_view rest = colored; !rest.empty();) {
        const std::size_t color = escape_sequence_length(rest);
        const std::string_view next = rest.substr(0, std::max<std::size_t>(color, 1));
        rest.remove_prefix(next.size());
        if (next == "\r") {
            returned = shown.size();
            continue;
        }
        if (color == 0 && returned) shown.erase(0, *returned);
        if (color == 0) returned.reset();
        shown += next;
    }
    return shown;
}

}  // namespace hob::util
