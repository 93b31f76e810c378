#include "cmd/core/table.hpp"

#include <boost/test/unit_test.hpp>

using namespace hob::cmd;

namespace {

terminal screen(int columns, bool utf8 = true, bool color = false) {
    return {.interactive = true, .color = color, .utf8 = utf8, .columns = columns};
}

table units() {
    table made({{"UNIT", 0, false}, {"STATE", 0, false}, {"KIND", 2, false}, {"PID", 1, true}});
    made.add({{"calc", ""}, {"warm", "32"}, {"worker", ""}, {"12", ""}});
    made.add({{"a-much-longer-name", ""}, {"cold", ""}, {"worker", ""}, {"", ""}});
    return made;
}

int widest_line(const std::string& text) {
    int widest = 0;
    std::size_t from = 0;
    while (from < text.size()) {
        const auto end = text.find('\n', from);
        widest = std::max(widest, display_width(std::string_view(text).substr(from, end - from)));
        from = end + 1;
    }
    return widest;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(table_of_text)

BOOST_AUTO_TEST_CASE(printable_text_never_moves_the_cursor) {
    BOOST_TEST(printable("a\x1b[2J\n\x7f", true) == "a\\x1b[2J\\x0a\\x7f");
    BOOST_TEST(printable("\xc2\x9b", true) == "\\xc2\\x9b");
    BOOST_TEST(printable("\xe2\x80\xae", true) == "\\xe2\\x80\\xae");
}

BOOST_AUTO_TEST_CASE(C13_every_character_that_changes_what_a_terminal_shows_is_escaped) {
    BOOST_TEST(printable("a\u061cb\u200bc\u202ed\u2069e\u00adf", true) ==
               "a\\xd8\\x9cb\\xe2\\x80\\x8bc\\xe2\\x80\\xaed\\xe2\\x81\\xa9e\\xc2\\xadf");
    BOOST_TEST(printable_lines("a\tb\n\x1b[2Jc\r\n", true) == "a\tb\n\\x1b[2Jc\\x0d\n");
    BOOST_TEST(without_hidden_controls("\"\u009b2J\u202e\u2067\u061c\x7f\"") ==
               "\"\\u009b2J\\u202e\\u2067\\u061c\\u007f\"");
    BOOST_TEST(without_hidden_controls("\x1b[1mcaf\u00e9 \U0001f468\u200d\U0001f4bb\x1b[0m\n") ==
               "\x1b[1mcaf\u00e9 \U0001f468\u200d\U0001f4bb\x1b[0m\n");
    BOOST_TEST(without_hidden_controls("\x9b\xff") == "\\x9b\xff");
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_shown_in_hex) {
    BOOST_TEST(printable("a\xff\xc3", true) == "a\\xff\\xc3");
    BOOST_TEST(printable("\xed\xa0\x80", true) == "\\xed\\xa0\\x80");
    BOOST_TEST(printable("\xc0\xaf", true) == "\\xc0\\xaf");
}

BOOST_AUTO_TEST_CASE(C02_a_locale_without_utf8_gets_ascii) {
    BOOST_TEST(printable("\u00e4", true) == "\u00e4");
    BOOST_TEST(printable("\u00e4", false) == "\\xc3\\xa4");
    BOOST_TEST(shortened("abcdef", 4, false) == "abc~");
}

BOOST_AUTO_TEST_CASE(wide_and_combining_characters_are_measured) {
    BOOST_TEST(display_width("\u6f22\u5b57") == 4);
    BOOST_TEST(display_width("a\u0301") == 1);
    BOOST_TEST(shortened("\u6f22\u5b57\u6f22", 4, true) == "\u6f22\u2026");
}

BOOST_AUTO_TEST_CASE(columns_are_aligned_and_lines_end_without_blanks) {
    BOOST_TEST(units().render(screen(80)) ==
               "UNIT                STATE  KIND    PID\n"
               "calc                warm   worker   12\n"
               "a-much-longer-name  cold   worker\n");
}

BOOST_AUTO_TEST_CASE(C02_the_least_important_columns_go_first) {
    BOOST_TEST(units().render(screen(32)) ==
               "UNIT                STATE  PID\n"
               "calc                warm    12\n"
               "a-much-longer-name  cold\n");
}

table with_details(const std::string& detail) {
    table made({{"UNIT", 0, false}, {"PID", 3, true}, {"SINCE", 2, true}, {"DETAIL", 0, false, 10}});
    made.add({{"db", ""}, {"12", ""}, {"3m", ""}, {detail, ""}});
    made.add({{"web", ""}, {"4711", ""}, {"2h", ""}, {"", ""}});
    return made;
}

BOOST_AUTO_TEST_CASE(C11_a_long_detail_is_shortened_before_columns_are_left_out) {
    BOOST_TEST(with_details("a long reason that fills the line").render(screen(40)) ==
               "UNIT   PID  SINCE  DETAIL\n"
               "db      12     3m  a long reason that f\u2026\n"
               "web   4711     2h\n");
    BOOST_TEST(with_details("a long reason that fills the line").render(screen(24)) ==
               "UNIT  SINCE  DETAIL\n"
               "db       3m  a long rea\u2026\n"
               "web      2h\n");
    for (int columns = 11; columns < 90; ++columns)
        BOOST_TEST(widest_line(with_details(std::string(60, 'x')).render(screen(columns))) <= columns);
}

BOOST_AUTO_TEST_CASE(C11_a_table_that_is_drawn_again_keeps_its_columns) {
    column_widths widths;
    const std::string wide = with_details("waits for a port").render(screen(80), widths);
    const std::string next = with_details("").render(screen(80), widths);
    BOOST_TEST(next.substr(0, next.find('\n')) == wide.substr(0, wide.find('\n')));
    BOOST_TEST(with_details("").render(screen(80)).find("DETAIL") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(C02_no_line_exceeds_the_width) {
    for (int columns = 11; columns < 90; ++columns) {
        BOOST_TEST(widest_line(units().render(screen(columns))) <= columns);
    }
}

BOOST_AUTO_TEST_CASE(a_pipe_gets_all_columns) {
    const terminal pipe{.interactive = false, .color = false, .utf8 = true, .columns = 10};
    BOOST_TEST(units().render(pipe).find("a-much-longer-name  cold   worker") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(columns_without_text_and_tables_without_rows_are_left_out) {
    table empty({{"A", 0, false}});
    BOOST_TEST(empty.render(screen(80)) == "");
    table half({{"A", 0, false}, {"B", 0, false}});
    half.add({{"x", ""}, {"", ""}});
    BOOST_TEST(half.render(screen(80)) == "A\nx\n");
}

BOOST_AUTO_TEST_CASE(colour_sequences_have_no_width) {
    const std::string painted = units().render(screen(80, true, true));
    BOOST_TEST(painted.find("\x1b[32mwarm\x1b[0m   worker") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_long_line_wraps_at_the_edge) {
    const std::vector<piece> pieces{{"one", ""}, {"two", ""}, {"three", ""}};
    BOOST_TEST(flow(pieces, 2, screen(80)) == "one  two  three\n");
    BOOST_TEST(flow(pieces, 2, screen(9)) == "one  two\n  three\n");
}

BOOST_AUTO_TEST_SUITE_END()
