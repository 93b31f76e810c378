#include "util/json/json_text.hpp"

#include <charconv>

#include "limits.hpp"
#include "util/json/json_scan.hpp"

namespace hob::util {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";

// The bytes that one U+FFFD replaces: the longest beginning of a well-formed sequence, at least 1.
std::size_t ill_formed_length(std::string_view bytes) {
    for (std::size_t length = std::min<std::size_t>(bytes.size(), 3); length > 1; --length) {
        std::string completed(bytes.substr(0, length));
        for (int missing = 1; missing < 4; ++missing) {
            completed.push_back('\x80');
            if (utf8_sequence(completed) == completed.size()) return length;
        }
        // 0x80 may be outside the second byte's range, but that byte is only missing when length is 1.
    }
    return 1;
}

void quote_control(std::string& out, char c) {
    constexpr std::string_view hex = "0123456789abcdef";
    switch (c) {
        case '\b':
            out += "\\b";
            return;
        case '\f':
            out += "\\f";
            return;
        case '\n':
            out += "\\n";
            return;
        case '\r':
            out += "\\r";
            return;
        case '\t':
            out += "\\t";
            return;
        default:
            break;
    }
    out += "\\u00";
    out.push_back(hex[static_cast<unsigned char>(c) >> 4]);
    out.push_back(hex[static_cast<unsigned char>(c) & 15u]);
}

// At a byte that must be escaped, or is not UTF-8. Returns how many bytes it consumed.
std::size_t quote_character(std::string& out, std::string_view text) {
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte >= 0x80) {
        out.append(replacement);
        return ill_formed_length(text);
    }
    if (byte == '"' || byte == '\\') {
        out.push_back('\\');
        out.push_back(text.front());
    } else {
        quote_control(out, text.front());
    }
    return 1;
}

std::uint32_t hex4_at(std::string_view text, std::size_t at) {
    std::uint32_t unit = 0;
    std::from_chars(text.data() + at, text.data() + at + 4, unit, 16);
    return unit;
}

// At a backslash of a valid string. Returns how many bytes it consumed.
std::size_t unescape(std::string& out, std::string_view text) {
    switch (text[1]) {
        case 'b':
            out.push_back('\b');
            return 2;
        case 'f':
            out.push_back('\f');
            return 2;
        case 'n':
            out.push_back('\n');
            return 2;
        case 'r':
            out.push_back('\r');
            return 2;
        case 't':
            out.push_back('\t');
            return 2;
        case 'u':
            break;
        default:
            out.push_back(text[1]);
            return 2;
    }
    const std::uint32_t unit = hex4_at(text, 2);
    if (unit < 0xD800 || unit > 0xDFFF) {
        utf8_append(out, unit);
        return 6;
    }
    utf8_append(out, 0x10000 + ((unit - 0xD800) << 10) + (hex4_at(text, 8) - 0xDC00));
    return 12;
}

// `raw` has been validated.
std::string unquote_valid(std::string_view raw) {
    raw = raw.substr(1, raw.size() - 2);
    std::string text;
    text.reserve(raw.size());
    while (!raw.empty()) {
        const std::size_t plain = std::min(raw.find('\\'), raw.size());
        text.append(raw.substr(0, plain));
        raw.remove_prefix(plain);
        if (!raw.empty()) raw.remove_prefix(unescape(text, raw));
    }
    return text;
}

}  // namespace

std::optional<json_error> validate_json(std::string_view text, int max_depth) {
    json_scanner scan(text, max_depth);
    if (scan.value() && scan.end()) return std::nullopt;
    return scan.error();
}

std::optional<std::vector<json_member>> json_object_members(std::string_view object_text) {
    json_scanner scan(object_text, limits::json_depth_max);
    std::vector<json_member> members;
    if (!scan.take('{')) return std::nullopt;
    scan.enter();
    if (scan.peek() == '}') {
        if (!scan.take('}') || !scan.end()) return std::nullopt;
        return members;
    }
    for (;;) {
        if (!scan.key()) return std::nullopt;
        const std::string_view key = scan.last();
        if (!scan.value()) return std::nullopt;
        members.push_back({key, unquote_valid(key), scan.last()});
        if (scan.peek() == '}') break;
        if (!scan.take(',')) return std::nullopt;
    }
    if (!scan.take('}') || !scan.end()) return std::nullopt;
    return members;
}

std::optional<std::vector<std::string_view>> json_array_elements(std::string_view array_text) {
    json_scanner scan(array_text, limits::json_depth_max);
    std::vector<std::string_view> elements;
    if (!scan.take('[')) return std::nullopt;
    scan.enter();
    if (scan.peek() == ']') {
        if (!scan.take(']') || !scan.end()) return std::nullopt;
        return elements;
    }
    for (;;) {
        if (!scan.value()) return std::nullopt;
        elements.push_back(scan.last());
        if (scan.peek() == ']') break;
        if (!scan.take(',')) return std::nullopt;
    }
    if (!scan.take(']') || !scan.end()) return std::nullopt;
    return elements;
}

void json_quote_to(std::string& out, std::string_view text) {
    out.push_back('"');
    while (!text.empty()) {
        std::size_t taken = json_unescaped_prefix(text);
        while (taken < text.size()) {
            const std::size_t length = utf8_sequence(text.substr(taken));
            if (length < 2) break;
            taken += length;
        }
        out.append(text.substr(0, taken));
        text.remove_prefix(taken);
        if (!text.empty() && json_unescaped_prefix(text.substr(0, 1)) == 0)
            text.remove_prefix(quote_character(out, text));
    }
    out.push_back('"');
}

std::string json_quote(std::string_view text) {
    std::string out;
    out.reserve(text.size() + 2);
    json_quote_to(out, text);
    return out;
}

std::optional<std::string> json_unquote(std::string_view raw) {
    json_scanner scan(raw, 0);
    if (scan.peek() != '"' || !scan.value()) return std::nullopt;
    const std::string_view string = scan.last();
    if (!scan.end()) return std::nullopt;
    return unquote_valid(string);
}

std::optional<std::int64_t> json_integer(std::string_view raw) {
    if (validate_json(raw, 0)) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), number);
    if (error != std::errc() || end != raw.data() + raw.size()) return std::nullopt;
    return number;
}

std::optional<bool> json_boolean(std::string_view raw) {
    if (raw == "true") return true;
    if (raw == "false") return false;
    return std::nullopt;
}

}  // namespace hob::util
