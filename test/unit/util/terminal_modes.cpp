#include "util/terminal_modes.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using hob::util::terminal_modes;

namespace {

terminal_modes after(std::string_view written) {
    terminal_modes modes;
    modes.feed(written);
    return modes;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(terminal_modes_of_programs)

BOOST_AUTO_TEST_CASE(text_and_colours_that_were_reset_leave_nothing_to_undo) {
    for (const char* text :
         {"", "plain", "\x1b[31mred\x1b[0m", "\x1b[2J\x1b[H", "\x1b]0;\x1b[?25l\a", "\x1b(B"}) {
        BOOST_TEST(after(text).leave_text() == "", text);
        BOOST_TEST(after(text).enter_text() == "", text);
    }
    BOOST_TEST(after("\x1b[1;31m").leave_text() == "\x1b[0m");
}

BOOST_AUTO_TEST_CASE(each_mode_is_undone_and_the_screen_last) {
    BOOST_TEST(after("\x1b[?1049h").alternate_screen());
    BOOST_TEST(!after("\x1b[?1049h\x1b[?1049l").alternate_screen());
    BOOST_TEST(after("\x1b[?1049h\x1b[?1000;1006h").leave_text() == "\x1b[?1000l\x1b[?1006l\x1b[?1049l");
    BOOST_TEST(after("\x1b[?1049h\x1b[?1000;1006h").enter_text() == "\x1b[?1049h\x1b[?1006h\x1b[?1000h");
    BOOST_TEST(after("\x1b[?25l").leave_text() == "\x1b[?25h");
    BOOST_TEST(after("\x1b[?25l").enter_text() == "\x1b[?25l");
    BOOST_TEST(after("\x1b=").leave_text() == "\x1b>");
    BOOST_TEST(after("\x1b[5;20r").leave_text() == "\x1b\x37\x1b[r\x1b\x38");
    BOOST_TEST(after("\x1b[>1u\x1b[>3u").leave_text() == "\x1b[<2u");
    BOOST_TEST(after("\x1b[>1u\x1b[<u").leave_text() == "");
    BOOST_TEST(after("\x1b[>4;2m").leave_text() == "\x1b[>4;0m");
    BOOST_TEST(after("\x1b[>4;2m\x1b[>4m").leave_text() == "");
}

BOOST_AUTO_TEST_CASE(resets_of_the_program_count) {
    BOOST_TEST(after("\x1b[?1049h\x1b[?25l\x1b"
                     "c")
                   .leave_text() == "");
    BOOST_TEST(after("\x1b[?1h\x1b=\x1b[?25l\x1b[!p").leave_text() == "");
}

BOOST_AUTO_TEST_CASE(what_is_written_may_be_cut_anywhere) {
    const std::string whole = "a\x1b[?1049hb\x1b[?2004h\x1b]0;t\x1b\\\x1b=\x1b[?25l";
    for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
        terminal_modes modes;
        modes.feed(whole.substr(0, cut));
        modes.feed(whole.substr(cut));
        BOOST_TEST(modes.leave_text() == "\x1b>\x1b[?2004l\x1b[?1049l\x1b[?25h", cut);
    }
}

BOOST_AUTO_TEST_CASE(a_sequence_that_was_cut_off_is_ended_first) {
    BOOST_TEST(after("\x1b[?25l\x1b[3").leave_text() == "\x18\x1b[?25h");
    BOOST_TEST(after("\x1b[?25l\x1b]0;title").leave_text() == "\x1b\\\x1b[?25h");
}

BOOST_AUTO_TEST_CASE(odd_sequences_do_no_harm) {
    const std::string many =
        "\x1b[?" + std::string(100'000, '1') + "h\x1b[" + std::string(100, ';') + "m\x1b[?99999999999h";
    BOOST_TEST(after(many).enter_text() == "");
    BOOST_TEST(after("\x1b[<999999999u").leave_text() == "");
}

BOOST_AUTO_TEST_SUITE_END()
