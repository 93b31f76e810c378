#pragma once
// The scanner that json_text is built on: walks over one text, validates it, and yields slices of it. It does
// not allocate or recurse.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "util/json/json_text.hpp"

namespace hob::util {

inline constexpr int json_scan_depth_cap = 1024;

// How many bytes from the front stand for themselves in a JSON string: ASCII other than quote, backslash and
// control characters. Eight bytes at a time.
inline std::size_t json_unescaped_prefix(std::string_view text) {
    constexpr std::uint64_t ones = 0x0101010101010101u;
    constexpr std::uint64_t tops = 0x8080808080808080u;
    static_assert(std::endian::native == std::endian::little);  // the first byte is the lowest
    std::size_t at = 0;
    for (std::uint64_t word = 0; text.size() - at >= sizeof word; at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        const std::uint64_t quote = word ^ (ones * '"');
        const std::uint64_t backslash = word ^ (ones * '\\');
        // A borrow may also mark bytes above a byte that is marked correctly, but never below it.
        const std::uint64_t found =
            ((word - ones * 0x20u) | (quote - ones) | (backslash - ones) | word) & tops;
        if (found != 0) return at + static_cast<std::size_t>(std::countr_zero(found)) / 8;
    }
    for (; at < text.size(); ++at) {
        const auto byte = static_cast<unsigned char>(text[at]);
        if (byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\') break;
    }
    return at;
}

class json_scanner {
public:
    // `max_depth` is cut to json_scan_depth_cap.
    json_scanner(std::string_view text, int max_depth);

    // Each returns false at an error in the text. error() then says where, and nothing else may be called.
    bool value();          // white space, then over one value of any kind
    bool key();            // white space, then over a string, and over the colon after it
    bool take(char byte);  // white space, then this byte
    bool end();            // white space, then the end of the text

    // The next byte that is not white space, not consumed; NUL at the end of the text.
    char peek();

    // What value() or key() scanned last, without the white space around it.
    std::string_view last() const { return text_.substr(last_from_, last_to_ - last_from_); }

    // After take() of an opening bracket: counts it towards the depth.
    void enter() { --max_depth_; }

    json_error error() const { return error_; }

private:
    bool fail(const char* what) { return fail_at(at_, what); }
    bool fail_at(std::size_t offset, const char* what);
    bool nested();
    bool open(int& depth, bool& empty);
    bool next_or_close(int& depth, bool& closed);
    bool scalar();
    bool literal(std::string_view word);
    bool number();
    bool digits();
    bool string();
    bool unescaped_bytes();
    bool escape();
    bool hex4(std::uint32_t& unit);
    void skip_space() {
        while (at_ < text_.size() && text_[at_] <= ' ' && is_space(text_[at_]))
            ++at_;
    }
    static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
    char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool in_object(int depth) const { return ((kinds_[depth / 64] >> (depth % 64)) & 1u) != 0; }

    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t last_from_ = 0;
    std::size_t last_to_ = 0;
    int max_depth_;
    json_error error_{0, ""};
    std::uint64_t kinds_[json_scan_depth_cap / 64 + 1];  // one bit a level, set for an object
};

}  // namespace hob::util
