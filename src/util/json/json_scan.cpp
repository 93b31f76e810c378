#include "util/json/json_scan.hpp"

#include <algorithm>

namespace hob::util {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

json_scanner::json_scanner(std::string_view text, int max_depth)
    : text_(text), max_depth_(std::min(max_depth, json_scan_depth_cap)) {}

bool json_scanner::fail_at(std::size_t offset, const char* what) {
    error_ = {offset, what};
    return false;
}

char json_scanner::peek() {
    skip_space();
    return here();
}

bool json_scanner::take(char byte) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != byte) return fail("unexpected byte");
    ++at_;
    return true;
}

bool json_scanner::end() {
    skip_space();
    return at_ == text_.size() || fail("something after the value");
}

bool json_scanner::key() {
    skip_space();
    const std::size_t from = at_;
    if (here() != '"') return fail("expected a key");
    if (!string()) return false;
    last_from_ = from;
    last_to_ = at_;
    skip_space();
    if (here() != ':') return fail("expected ':'");
    ++at_;
    return true;
}

bool json_scanner::value() {
    skip_space();
    const std::size_t from = at_;
    const char first = here();
    if (!(first == '{' || first == '[' ? nested() : scalar())) return false;
    last_from_ = from;
    last_to_ = at_;
    return true;
}

bool json_scanner::nested() {
    int depth = 0;
    for (;;) {
        bool closed = false;
        const char first = peek();
        if (first == '{' || first == '[') {
            if (!open(depth, closed)) return false;
            if (!closed) continue;
        } else if (!scalar()) {
            return false;
        }
        // A value has ended; the arrays and objects around it may end as well.
        do {
            if (depth == 0) return true;
            if (!next_or_close(depth, closed)) return false;
        } while (closed);
    }
}

// At an opening bracket. `empty`: the closing one followed.
bool json_scanner::open(int& depth, bool& empty) {
    if (depth >= max_depth_) return fail("nested too deep");
    const bool object = text_[at_++] == '{';
    const std::uint64_t bit = std::uint64_t{1} << (depth % 64);
    auto& word = kinds_[depth / 64];
    word = object ? word | bit : word & ~bit;
    empty = peek() == (object ? '}' : ']');
    if (empty) {
        ++at_;
        return true;
    }
    ++depth;
    return !object || key();
}

bool json_scanner::next_or_close(int& depth, bool& closed) {
    const bool object = in_object(depth - 1);
    const char next = peek();
    closed = next == (object ? '}' : ']');
    if (!closed && next != ',') return fail(object ? "expected ',' or '}'" : "expected ',' or ']'");
    ++at_;
    if (closed) {
        --depth;
        return true;
    }
    return !object || key();
}

bool json_scanner::scalar() {
    const char first = here();
    if (first == '"') return string();
    if (first == '-' || is_digit(first)) return number();
    if (first == 't') return literal("true");
    if (first == 'f') return literal("false");
    if (first == 'n') return literal("null");
    return fail(at_ == text_.size() ? "unexpected end" : "expected a value");
}

bool json_scanner::literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return fail("unknown literal");
    at_ += word.size();
    return true;
}

bool json_scanner::digits() {
    if (!is_digit(here())) return fail("expected a digit");
    while (is_digit(here()))
        ++at_;
    return true;
}

bool json_scanner::number() {
    if (here() == '-') ++at_;
    if (here() == '0') {
        ++at_;
        if (is_digit(here())) return fail("a number with a leading zero");
    } else if (!digits()) {
        return false;
    }
    if (here() == '.') {
        ++at_;
        if (!digits()) return false;
    }
    if (here() == 'e' || here() == 'E') {
        ++at_;
        if (here() == '+' || here() == '-') ++at_;
        if (!digits()) return false;
    }
    return true;
}

bool json_scanner::string() {
    ++at_;
    for (;;) {
        if (!unescaped_bytes()) return false;
        if (text_[at_] == '"') {
            ++at_;
            return true;
        }
        if (!escape()) return false;
    }
}

// Up to a quote or a backslash.
bool json_scanner::unescaped_bytes() {
    for (;;) {
        at_ += json_unescaped_prefix(text_.substr(at_));
        if (at_ == text_.size()) return fail("unterminated string");
        const auto byte = static_cast<unsigned char>(text_[at_]);
        if (byte == '"' || byte == '\\') return true;
        if (byte < 0x20) return fail("control character in a string");
        const std::size_t length = utf8_sequence(text_.substr(at_));
        if (length == 0) return fail("invalid UTF-8");
        at_ += length;
    }
}

bool json_scanner::escape() {
    const std::size_t from = at_++;
    const char kind = here();
    if (at_ == text_.size()) return fail("unterminated string");
    ++at_;
    if (std::string_view("\"\\/bfnrt").find(kind) != std::string_view::npos) return true;
    if (kind != 'u') return fail_at(from, "unknown escape");
    std::uint32_t unit = 0;
    if (!hex4(unit)) return false;
    if (unit < 0xD800 || unit > 0xDFFF) return true;
    std::uint32_t low = 0;
    if (unit > 0xDBFF || text_.substr(at_, 2) != "\\u") return fail_at(from, "lone surrogate");
    at_ += 2;
    if (!hex4(low)) return false;
    return (low >= 0xDC00 && low <= 0xDFFF) || fail_at(from, "lone surrogate");
}

bool json_scanner::hex4(std::uint32_t& unit) {
    unit = 0;
    for (int i = 0; i < 4; ++i) {
        const char c = here();
        const char lower = static_cast<char>(c | 0x20);
        if (is_digit(c)) {
            unit = unit << 4 | static_cast<std::uint32_t>(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            unit = unit << 4 | static_cast<std::uint32_t>(lower - 'a' + 10);
        } else {
            return fail("expected four hexadecimal digits");
        }
        ++at_;
    }
    return true;
}

}  // namespace hob::util
