#include "unit/process/line_watch.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using hob::unit::line_watch;

BOOST_AUTO_TEST_SUITE(line_watches)

BOOST_AUTO_TEST_CASE(lines_are_searched_whole_and_by_stream) {
    line_watch lines("^on ([0-9]+)$");
    BOOST_TEST(!lines.feed("stdout", "on 8"));
    BOOST_TEST(!lines.feed("stderr", "0\n"));
    BOOST_TEST(lines.matches_partial_line());
    BOOST_TEST(lines.feed("stdout", "0\nmore"));
    BOOST_TEST(lines.captured() == "80");
    BOOST_TEST(!lines.matches_partial_line());
}

BOOST_AUTO_TEST_CASE(U29_what_is_searched_is_what_a_terminal_shows) {
    line_watch lines("^ready on ([0-9]+)$");
    BOOST_TEST(lines.feed("stdout", "\x1b[32mready\x1b[0m on 80\r\n"));
    BOOST_TEST(lines.feed("stdout", "starting\rready on 81\n"));
    BOOST_TEST(lines.captured() == "81");
    BOOST_TEST(!lines.feed("stdout", "ready on 82\rstopped\n"));
    BOOST_TEST(!lines.feed("stdout", "starting\r"));
    BOOST_TEST(!lines.feed("stdout", "ready on 83\r"));
    BOOST_TEST(lines.matches_partial_line());
    BOOST_TEST(lines.feed("stdout", "\n"));
}

BOOST_AUTO_TEST_CASE(U29_four_KiB_of_a_line_are_searched) {
    line_watch lines("ready");
    BOOST_TEST(lines.feed("stdout", std::string(4000, 'x') + "ready\n"));
    BOOST_TEST(!lines.feed("stdout", std::string(5000, 'x') + "ready\n"));
    BOOST_TEST(lines.feed("stdout", "ready\n"));
    // Escape sequences do not count, nor does what is overwritten.
    std::string coloured, progress;
    for (int i = 0; i < 5000; ++i) {
        coloured += "\x1b[32m\x1b[0m";
        progress += "downloading " + std::to_string(i) + " of 5000\r";
    }
    BOOST_TEST(lines.feed("stdout", coloured + "ready\n"));
    BOOST_TEST(lines.feed("stdout", progress + "ready\n"));
    for (std::size_t at = 0; at < progress.size(); at += 1000)
        BOOST_TEST(!lines.feed("stdout", std::string_view(progress).substr(at, 1000)));
    BOOST_TEST(lines.feed("stdout", "ready\n"));
    // The cut leaves no half of a character, which would make the line one that is not UTF-8.
    line_watch euro("^(.*)$");
    BOOST_TEST(euro.feed("stdout", std::string(4095, 'x') + "\xe2\x82\xac\n"));
    BOOST_TEST(euro.captured().size() == 4095u);
}

BOOST_AUTO_TEST_CASE(U29_a_long_line_is_searched_in_no_time) {
    std::string line;
    while (line.size() < 64000)
        line += "Server started ";
    line += '\n';
    line_watch lines("Server .* listening on .*:([0-9]+)");
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(!lines.feed("stdout", line));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
    BOOST_TEST(lines.feed("stdout", "Server started, listening on 127.0.0.1:4711\n"));
    BOOST_TEST(lines.captured() == "4711");
}

BOOST_AUTO_TEST_SUITE_END()
