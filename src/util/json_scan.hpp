#pragma once
// The scanner under json_text: walks over one text, checks it, and leaves slices to be taken. No allocation,
// no recursion.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "util/json_text.hpp"

namespace hob::util {

inline constexpr int json_scan_depth_cap = 1024;

class json_scanner {
public:
    // `max_depth` is cut to json_scan_depth_cap.
    json_scanner(std::string_view text, int max_depth);

    // Each returns false once the text is wrong, and error() then says where; nothing may be called after
    // that.
    bool value();          // white space, then over one value of any kind
    bool key();            // white space, then over a string, and over the colon after it
    bool take(char byte);  // white space, then this byte
    bool end();            // white space, then the end of the text

    // The next byte that is no white space, not consumed; NUL at the end of the text.
    char peek();

    // Of what value() or key() went over last, without the white space around it.
    std::string_view last() const { return text_.substr(last_from_, last_to_ - last_from_); }

    // Something that was opened by take() is around what follows: counts towards the depth.
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
    bool plain_bytes();
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
