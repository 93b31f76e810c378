#include "unit/protocol/lsp/buffer.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "util/json/json_text.hpp"

using namespace hob::unit;

namespace {

struct position {
    std::size_t line = 0, character = 0;
};

std::string range_of(position start, position end) {
    const auto text = [](position at) {
        return "{\"line\":" + std::to_string(at.line) + ",\"character\":" + std::to_string(at.character) +
               "}";
    };
    return "{\"start\":" + text(start) + ",\"end\":" + text(end) + "}";
}

std::string change_of(position start, position end, const std::string& text) {
    return "{\"range\":" + range_of(start, end) + ",\"text\":" + hob::util::json_quote(text) + "}";
}

// The same in the plainest way: one character after the other, from the start of the text.
struct plain_text {
    std::string text;

    bool is_line_end(std::size_t at) const { return text[at] == '\n' || text[at] == '\r'; }
    std::size_t length_at(std::size_t at) const {
        const auto lead = static_cast<unsigned char>(text[at]);
        return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    }
    std::size_t find(position wanted, bool utf8) const {
        std::size_t at = 0;
        for (std::size_t line = 0; line < wanted.line; ++line) {
            while (at < text.size() && !is_line_end(at))
                ++at;
            if (at == text.size()) return at;
            at += text.compare(at, 2, "\r\n") == 0 ? 2 : 1;
        }
        for (std::size_t units = 0; units < wanted.character && at < text.size() && !is_line_end(at);) {
            const std::size_t length = length_at(at);
            units += utf8 ? length : length == 4 ? 2 : 1;
            at += length;
        }
        return at;
    }
    bool replace(position start, position end, const std::string& by, bool utf8) {
        const std::size_t from = find(start, utf8);
        const std::size_t to = find(end, utf8);
        if (to < from) return false;
        text.replace(from, to - from, by);
        return true;
    }
};

class editing {
public:
    editing(std::size_t seed, bool utf8)
        : random_(static_cast<std::mt19937::result_type>(seed)), utf8_(utf8) {}

    std::string words(std::size_t most) {
        static const std::vector<std::string> all = {
            "a", "word", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\n", "\r", "\r\n", " ", "\n\n"};
        std::string text;
        for (std::size_t left = below(most + 1); left > 0; --left)
            text += all[below(all.size())];
        return text;
    }
    position place(const std::string& text) {
        const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
        return {below(lines + 3), below(4) == 0 ? below(5000) : below(12)};
    }
    void change(plain_text& plain, lsp_buffer& buffer) {
        position start = place(plain.text);
        position end = below(3) == 0 ? start : place(plain.text);
        if (below(8) != 0 && plain.find(end, utf8_) < plain.find(start, utf8_)) std::swap(start, end);
        const std::string by = words(below(20) == 0 ? 3000 : 4);
        const bool expected = plain.replace(start, end, by, utf8_);
        BOOST_REQUIRE(buffer.apply(change_of(start, end, by), utf8_) == expected);
    }
    bool utf8() const { return utf8_; }

private:
    std::size_t below(std::size_t n) { return random_() % n; }

    std::mt19937 random_;
    bool utf8_;
};

// The work of 1000 changes of a text, which `next` places.
template <typename Next>
std::size_t work_of_changes(const std::string& text, Next next) {
    lsp_buffer buffer(text);
    BOOST_REQUIRE(buffer.apply(change_of({0, 0}, {0, 0}, ""), false));
    const std::size_t before = buffer.work();
    for (std::size_t i = 0; i < 1000; ++i)
        BOOST_REQUIRE(buffer.apply(next(i), false));
    return buffer.work() - before;
}

std::string lines_of(std::size_t count) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i)
        text += "line " + std::to_string(i) + "\n";
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(lsp_buffer_)

BOOST_AUTO_TEST_CASE(changes_of_any_order_do_what_they_do_to_a_plain_text) {
    for (std::size_t seed = 0; seed < 60; ++seed) {
        editing edits(seed, seed % 3 == 0);
        plain_text plain{edits.words(8000)};
        lsp_buffer buffer(plain.text);
        for (int i = 0; i < 60; ++i) {
            edits.change(plain, buffer);
            BOOST_REQUIRE(buffer.size() == plain.text.size());
            if (i % 7 == 0) BOOST_REQUIRE(buffer.text() == plain.text);
        }
        BOOST_REQUIRE(buffer.text() == plain.text);
    }
}

BOOST_AUTO_TEST_CASE(ranges_have_the_offsets_of_the_plain_text) {
    for (std::size_t seed = 100; seed < 120; ++seed) {
        editing edits(seed, seed % 2 == 0);
        const plain_text plain{edits.words(8000)};
        const lsp_buffer buffer(plain.text);
        for (int i = 0; i < 40; ++i) {
            const position start = edits.place(plain.text);
            const position end = edits.place(plain.text);
            const std::pair expected(plain.find(start, edits.utf8()), plain.find(end, edits.utf8()));
            const auto found = buffer.offsets(range_of(start, end), edits.utf8());
            BOOST_REQUIRE(found.has_value() == (expected.first <= expected.second));
            if (found) BOOST_REQUIRE((*found == expected));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_line_end_of_two_characters_is_one_wherever_its_halves_come_from) {
    lsp_buffer buffer(std::string(1023, 'x') + "\r" + std::string(5000, 'y') + "\nend");
    BOOST_TEST(buffer.apply(change_of({1, 0}, {1, 5000}, ""), false));
    BOOST_TEST(buffer.text() == std::string(1023, 'x') + "\r\nend");
    BOOST_TEST(buffer.apply(change_of({1, 0}, {1, 3}, "END"), false));
    BOOST_TEST(buffer.text() == std::string(1023, 'x') + "\r\nEND");
    BOOST_TEST(buffer.apply(change_of({0, 1023}, {1, 0}, "\r"), false));
    BOOST_TEST(buffer.apply(change_of({1, 0}, {1, 0}, "\n"), false));
    BOOST_TEST(buffer.apply(change_of({1, 0}, {9, 9}, ""), false));
    BOOST_TEST(buffer.text() == std::string(1023, 'x') + "\r\n");
    BOOST_TEST(buffer.apply(change_of({0, 0}, {9, 9}, ""), false));
    BOOST_TEST(buffer.text() == "");
}

BOOST_AUTO_TEST_CASE(P16_the_work_of_a_change_does_not_grow_with_the_text_or_its_lines) {
    const auto at_line = [](std::size_t i) { return change_of({10 + i, 1}, {10 + i, 2}, "IN"); };
    const auto backwards = [](std::size_t i) { return change_of({3000 - i, 0}, {3000 - i, 1}, "L"); };
    const auto in_one_line = [](std::size_t i) { return change_of({0, 60'000 - i}, {0, 60'001 - i}, "L"); };
    const auto at_the_start = [](std::size_t) { return change_of({0, 0}, {0, 0}, "\n"); };
    // 100 kB and 3 MB. A position is found by way of one piece for each kB.
    const std::string few = lines_of(9'000);
    const std::string many = lines_of(220'000);
    const std::size_t most = 1000 * (20'000 + 2 * many.size() / 1000);
    BOOST_TEST(work_of_changes(few, at_line) < most);
    BOOST_TEST(work_of_changes(many, at_line) < most);
    BOOST_TEST(work_of_changes(many, backwards) < most);
    BOOST_TEST(work_of_changes(many, at_the_start) < most);
    BOOST_TEST(work_of_changes(std::string(3'000'000, 'x'), in_one_line) < most);
    BOOST_TEST(work_of_changes("", at_the_start) < most);
}

BOOST_AUTO_TEST_SUITE_END()
