#include "util/escape_sequences.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using hob::util::escape_sequence_length;
using hob::util::without_escape_sequences;

BOOST_AUTO_TEST_SUITE(escape_sequences)

BOOST_AUTO_TEST_CASE(C12_every_kind_of_escape_sequence_is_removed) {
    BOOST_TEST(without_escape_sequences("\x1b[31mred\x1b[0m") == "red");
    BOOST_TEST(without_escape_sequences("\x1b[38;2;1;2;3mx\x1b[K") == "x");
    BOOST_TEST(without_escape_sequences("a\x1b[?25lb\x1b[2 qc") == "abc");
    BOOST_TEST(without_escape_sequences("\x1b]0;title\atext") == "text");
    BOOST_TEST(without_escape_sequences("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\") == "link");
    BOOST_TEST(without_escape_sequences("\x1bPdata\x1b\\x\x1b(By\x1b"
                                        "7z") == "xyz");
    BOOST_TEST(without_escape_sequences("\xc2\x9b"
                                        "31mred") == "red");
}

BOOST_AUTO_TEST_CASE(text_is_kept) {
    for (const char* text : {"", "plain", "[31m", "caf\xc3\xa9 \xe2\x82\xac", "\xc2\xa0", "\xff\xfe", "\xc2"})
        BOOST_TEST(without_escape_sequences(text) == text);
    BOOST_TEST(escape_sequence_length("x\x1b[m") == 0u);
}

BOOST_AUTO_TEST_CASE(a_sequence_may_be_cut_off) {
    for (const char* text : {"\x1b", "\x1b[", "\x1b[3", "\x1b(",
                             "\xc2\x9b"
                             "3"})
        BOOST_TEST(without_escape_sequences(text) == "");
    BOOST_TEST(without_escape_sequences("\x1b]0;no end") == "0;no end");
}

BOOST_AUTO_TEST_CASE(U29_introducers_that_nothing_terminates_take_linear_time) {
    std::string text;
    for (int i = 0; i < 100'000; ++i)
        text += "\x1b]";
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(without_escape_sequences(text) == "");
    BOOST_TEST(without_escape_sequences("a\x1b]t\ab" + text) == "ab");
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
}

BOOST_AUTO_TEST_CASE(U29_a_line_is_what_a_terminal_leaves_of_it) {
    using hob::util::visible_line;
    BOOST_TEST(visible_line("ready\r") == "ready");
    BOOST_TEST(visible_line("10%\r50%\r100%") == "100%");
    BOOST_TEST(visible_line("10%\r50%\r\r\x1b[K") == "50%");
    BOOST_TEST(visible_line("wait\r\x1b[32mready\x1b[0m\r") == "ready");
    BOOST_TEST(visible_line("\r") == "");
    BOOST_TEST(visible_line("") == "");
}

BOOST_AUTO_TEST_CASE(colours_alone_are_kept_for_views) {
    using hob::util::visible_colored_line;
    using hob::util::with_colors_alone;
    BOOST_TEST(
        with_colors_alone("\x1b[1;31mred\x1b[0m\x1b[2J\x1b[?25l\x1b]0;t\a end\x1b[38:2:1:2:3mx\x1b[m") ==
        "\x1b[1;31mred\x1b[0m end\x1b[38:2:1:2:3mx\x1b[m");
    BOOST_TEST(with_colors_alone("\x1b[>4;1mx\x1b[?1m\x1b[") == "x");
    BOOST_TEST(visible_colored_line("10%\r\x1b[32m50%\x1b[0m\r") == "\x1b[32m50%\x1b[0m");
    BOOST_TEST(visible_colored_line("\x1b[31mred\r\x1b[0m") == "\x1b[31mred\x1b[0m");
    BOOST_TEST(visible_colored_line("a\r\rb\r\r") == "b");
    std::string returns;
    for (int i = 0; i < 100'000; ++i)
        returns += "\r\x1b[m";
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(visible_colored_line("a" + returns).starts_with("a\x1b[m"));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
}

BOOST_AUTO_TEST_SUITE_END()
