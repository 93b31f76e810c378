#include "util/escape_sequences.hpp"

#include <algorithm>

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

}  // namespace

std::size_t escape_sequence_length(std::string_view text) { return sequence_length(text, true); }

std::string without_escape_sequences(std::string_view text) {
    std::string plain;
    plain.reserve(text.size());
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
        if (length == 0) plain += text.front();
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return plain;
}

std::string visible_line(std::string_view line) {
    std::string plain = without_escape_sequences(line);
    while (plain.ends_with('\r'))
        plain.pop_back();
    plain.erase(0, plain.rfind('\r') + 1);
    return plain;
}

}  // namespace hob::util
