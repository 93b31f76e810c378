// Where an answer of a program that speaks lines ends.
#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <string_view>

#include "limits.hpp"
#include "unit/protocol/lines/answer_reader.hpp"

using hob::unit::answer_form;
using hob::unit::answer_reader;
using hob::unit::answer_spec;
using namespace std::chrono_literals;
using namespace std::string_literals;

namespace {

answer_spec until(const std::string& pattern) { return {answer_form::until, pattern, 0ms}; }
answer_spec quiet() { return {answer_form::quiet, {}, 50ms}; }

// What is read of `bytes`, in pieces of `piece` bytes, and then silence; "-": no answer.
std::string read(const answer_spec& where, std::string_view bytes, std::size_t piece) {
    answer_reader reader(where);
    reader.begin();
    std::size_t used = 0;
    while (used < bytes.size() && reader.awaited())
        used += reader.feed(bytes.substr(used, piece));
    if (reader.pause()) reader.on_silence();
    if (reader.awaited()) return "-";
    return reader.take().value_or("too long") + "|" + std::string(bytes.substr(used));
}

void check(const answer_spec& where, std::string_view bytes, const std::string& expected) {
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 4096u})
        BOOST_TEST(read(where, bytes, piece) == expected, bytes << " in pieces of " << piece);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(answers_of_lines)

BOOST_AUTO_TEST_CASE(a_line_ends_with_its_newline) {
    check({}, "one\n", "one|");
    check({}, "one\r\n", "one|");
    check({}, "\n", "|");
    check({}, "one\ntwo\n", "one|two\n");
    check({}, "a\rb\n", "a\rb|");
    check({}, "no end", "-");
    check({}, "a\0b\n"s, "a\0b|"s);
}

BOOST_AUTO_TEST_CASE(until_removes_what_matches_except_for_its_group) {
    check(until("^END$"), "1\n2\nEND\n", "1\n2|");
    check(until("^END$"), "1\r\n2\r\nEND\r\nrest", "1\n2|rest");
    check(until("^END$"), "END\n", "|");
    check(until("^END$"), "\n\nEND\n", "\n|");
    check(until("^END$"), "THE END\n", "-");
    check(until("^(OK|ACK .*)$"), "a\nACK [5]\n", "a\nACK [5]|");
    check(until("^(OK|ACK .*)$"), "OK\n", "OK|");
    check(until("^OK"), "OK then\n", " then|");
    check(until("^$"), "= 1\n\n", "= 1|");
}

BOOST_AUTO_TEST_CASE(until_finds_a_prompt_in_an_unfinished_line) {
    check(until(">>> $"), "2\n>>> ", "2|");
    check(until(">>> $"), ">>> ", "|");
    check(until(">>> $"), "a>>> ", "a|");
    check(until(">>> $"), "a >>> b\n>>> ", "a >>> b|");
    check(until("^> $"), "> quoted\n> ", "> quoted|");
    check(until(">>> $"), "2\n>>", "-");
    check(until("^\\$ $"), "\xFF\xFE\n$ ", "\xFF\xFE|");
}

BOOST_AUTO_TEST_CASE(an_unfinished_line_counts_only_after_silence) {
    answer_reader reader(until("> $"));
    reader.begin();
    reader.feed("a> ");
    BOOST_TEST(reader.awaited());
    reader.feed("b\n> ");
    reader.on_silence();
    BOOST_TEST(reader.take().value_or("") == "a> b");
}

BOOST_AUTO_TEST_CASE(quiet_takes_all_and_nothing_only_where_nothing_can_come) {
    check(quiet(), "1\n2\n", "1\n2|");
    check(quiet(), "no end", "no end|");
    check(quiet(), "\n", "|");
    answer_reader reader(quiet());
    reader.begin();
    reader.on_silence();
    BOOST_TEST(reader.awaited());
    reader.on_nothing();
    BOOST_TEST(!reader.awaited());
    BOOST_TEST(reader.take().value_or("-") == "");
}

BOOST_AUTO_TEST_CASE(what_is_too_long_is_skipped_to_its_end) {
    const std::string half(hob::limits::line_max / 2 + 1, 'x');
    for (const auto& where : {answer_spec{}, until("^END$"), quiet()}) {
        answer_reader reader(where);
        reader.begin();
        for (int i = 0; i < 3; ++i) {
            reader.feed(half);
            if (where.form == answer_form::until) reader.feed("\n");
        }
        BOOST_TEST(reader.awaited());
        reader.feed(where.form == answer_form::until ? "END\n" : "\n");
        reader.on_silence();
        BOOST_TEST(!reader.awaited());
        BOOST_TEST(!reader.take());
        reader.begin();
        reader.feed("short\nEND\n");
        reader.on_silence();
        BOOST_TEST(reader.take().value_or("-").starts_with("short"));
    }
}

BOOST_AUTO_TEST_CASE(what_is_not_awaited_is_not_taken) {
    answer_reader reader{answer_spec{}};
    BOOST_TEST(reader.feed("x\n") == 0u);
    reader.begin();
    reader.feed("part");
    BOOST_TEST(reader.drop() == "part");
    BOOST_TEST(!reader.awaited());
}

BOOST_AUTO_TEST_SUITE_END()
