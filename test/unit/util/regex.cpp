#include "util/regex.hpp"

#include <stdlib.h>
#include <boost/test/unit_test.hpp>

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "harness/command_output.hpp"
#include "paths.hpp"
#include "util/shell_quote.hpp"

using hob::util::bracket_backslash;
using hob::util::find_regex_fault;
using hob::util::regex;

namespace {

constexpr const char* lines_path = HOB_SOURCE_DIR "/test/fixtures/log_lines.txt";

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);)
        lines.push_back(line);
    return lines;
}

// The numbers of the lines that grep finds, from 1.
std::set<std::size_t> found_by_grep(const std::string& pattern) {
    const std::string command =
        "LC_ALL=C.UTF-8 grep -nE -e " + hob::util::shell_quoted({pattern}) + " '" + lines_path + "'";
    const auto [output, status] = hob::test::run_command(command);
    BOOST_TEST((status == 0 || status == 1 << 8));
    std::set<std::size_t> numbers;
    for (std::size_t at = 0; at < output.size(); at = output.find('\n', at) + 1)
        numbers.insert(std::stoul(output.substr(at)));
    return numbers;
}

std::string fault_of(const std::string& pattern) {
    const auto fault = find_regex_fault(pattern, bracket_backslash::refused);
    return fault ? fault->reason + (fault->hint.empty() ? "" : " | " + fault->hint) : "";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(regexes)

BOOST_AUTO_TEST_CASE(U29_an_expression_finds_the_lines_that_grep_finds) {
    const auto lines = lines_of(lines_path);
    const auto patterns = lines_of(HOB_SOURCE_DIR "/test/fixtures/log_patterns.txt");
    BOOST_TEST(lines.size() >= 100u);
    BOOST_TEST(patterns.size() >= 100u);
    for (const auto& pattern : patterns) {
        BOOST_TEST_CONTEXT(pattern) {
            BOOST_REQUIRE_EQUAL(fault_of(pattern), "");
            const regex expression(pattern);
            std::set<std::size_t> numbers;
            for (std::size_t i = 0; i < lines.size(); ++i) {
                if (expression.search(lines[i])) numbers.insert(i + 1);
            }
            const auto expected = found_by_grep(pattern);
            BOOST_TEST(numbers == expected, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(U29_what_RE2_would_read_otherwise_is_refused_with_its_spelling) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"\\<ready\\>", "\\< is not the start of a word for RE2 | write \\b"},
        {"ready\\>", "\\> is not the end of a word for RE2 | write \\b"},
        {"\\`x", "\\` is not the start of the text for RE2 | write \\A or ^"},
        {"x\\'", "\\' is not the end of the text for RE2 | write \\z or $"},
        {"a{,3}", "{,3} is plain text for RE2 | write {0,3}"},
        {"a{,}", "{,} is plain text for RE2 | write *"},
        {"[[=a=]b]", "RE2 has no equivalence classes in brackets: [=a=] | write a"},
        {"[x[.-.]]", "RE2 has no collating symbols in brackets: [.-.] | write -"},
        {"[\\d]+",
         "a backslash in brackets is an escape for RE2, and a character for POSIX: \\d | for a backslash "
         "write \\\\, for \\d write 0-9"},
        {"[^\\]]",
         "a backslash in brackets is an escape for RE2, and a character for POSIX: \\] | for a backslash "
         "write \\\\, for \\] write ] first"},
        {"[\\.]",
         "a backslash in brackets is an escape for RE2, and a character for POSIX: \\. | for a backslash "
         "write \\\\, for \\. write ."},
        {"(a)\\1", "RE2 has no back-references: \\1"},
        {"a(?=b)", "RE2 has no lookahead: (?="},
        {"(?!b)a", "RE2 has no lookahead: (?!"},
        {"(?<=a)b", "RE2 has no lookbehind: (?<="},
        {"(?<!a)b", "RE2 has no lookbehind: (?<!"},
        {"(?>a)b", "RE2 has no atomic groups: (?> | it never backtracks: write (?:"},
        {"(?<port>[0-9]+)", "RE2 has no group of this form: (?< | write (?P<name>"},
    };
    for (const auto& [pattern, fault] : rows)
        BOOST_TEST(fault_of(pattern) == fault);
}

BOOST_AUTO_TEST_CASE(what_looks_like_such_a_form_is_accepted) {
    for (const char* pattern : {"\\\\<", "[<]", "\\{,3\\}", "[{,3}]", "[\\\\]", "[\\\\x]", "[[:alpha:]\\\\]",
                                "[=a=]", "[.x.]", "\\[\\d\\]", "\\Q\\<[\\d]{,3}\\E", "[]\\\\]", "a{x,",
                                "(?i)a", "(?:a)", "(?P<port>a)", "\\d+\\s", "\\b\\w"})
        BOOST_TEST(fault_of(pattern) == "", pattern);
    BOOST_TEST(!find_regex_fault("[\\d.]+", bracket_backslash::escapes));
}

BOOST_AUTO_TEST_CASE(a_mistake_is_named) {
    const std::vector<std::pair<std::string, std::string>> rows = {
        {"(", "missing ): ("},
        {"a)", "unexpected ): a)"},
        {"[a", "missing ]: [a"},
        {"*", "no argument for repetition operator: *"},
        {"a{1001}", "invalid repetition size: {1001}"},
        {"[z-a]", "invalid character class range: z-a"},
        {"[[:digits:]]", "invalid character class range: [:digits:]"},
        {"a*+", "bad repetition operator: *+ | RE2 never backtracks: leave out the second operator"},
        {"\\", "trailing \\"},
        {"\xff", "invalid UTF-8"},
    };
    for (const auto& [pattern, fault] : rows)
        BOOST_TEST(fault_of(pattern) == fault);
}

// Each of these makes a program of RE2, or of another matcher, that is too large for the memory or the time.
BOOST_AUTO_TEST_CASE(U29_an_expression_that_is_too_large_is_refused_at_once) {
    std::string nested = "x", chain, classes = "(?i)";
    for (int i = 0; i < 10; ++i)
        nested = "(" + nested + "{2}){2}";
    for (int i = 0; i < 700; ++i)
        chain += "(a*)*";
    for (int i = 0; i < 1000; ++i)
        classes += "\\pL";
    const auto begin = std::chrono::steady_clock::now();
    for (const std::string& pattern :
         {std::string("((((a{1,200}){1,200}){1,200}){1,200})"),
          std::string("(((x{1,30}){1,30}){1,30}){1,30}"), std::string("\\pL{1,900}"),
          std::string(".{0,900}x"), nested, chain, classes, std::string(5000, 'a'), std::string(4000, '(')})
        BOOST_TEST(fault_of(pattern) != "", pattern.substr(0, 40));
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(10)));
    BOOST_TEST(fault_of("((((a{1,200}){1,200}){1,200}){1,200})") == "invalid repetition size: {1,200}");
    BOOST_TEST(fault_of(".{0,900}x") == "it is too large | use fewer or smaller repetitions");
    BOOST_TEST(fault_of(std::string(5000, 'a')) == "it is longer than 4 KiB");
}

BOOST_AUTO_TEST_CASE(U29_a_search_takes_time_linear_in_the_text) {
    std::string text;
    while (text.size() < 64000)
        text += "Server started ";
    const auto begin = std::chrono::steady_clock::now();
    for (const char* pattern :
         {"Server .* listening on .*:([0-9]+)", "(S+e+)+$", "(.*)(.*)(.*)(.*)[0-9]", "(a|b|.)*x"})
        BOOST_TEST(!regex(pattern).search(text), pattern);
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
}

BOOST_AUTO_TEST_CASE(the_longest_match_counts_and_its_first_group_is_told) {
    const auto group = [](const char* pattern, std::string_view text) {
        std::string found = "unset";
        return regex(pattern).search(text, &found) ? found : "no match";
    };
    BOOST_TEST(group("on (a|ab)(c|bcd)?", "on abcd") == "a");
    BOOST_TEST(group("port ([0-9]|[0-9]+)", "port 8080") == "8080");
    BOOST_TEST(group("port ([0-9]+)?", "port ") == "");
    BOOST_TEST(group("port [0-9]+", "port 80") == "");
    BOOST_TEST(group("port ([0-9]+)", "none") == "no match");
    BOOST_TEST(regex("(a)(b)").groups() == 2u);
    for (const char* lazy : {"a+?", "(.*?)x", "a{2}?", "a??"})
        BOOST_TEST(hob::util::has_lazy_repetition(lazy), lazy);
    for (const char* greedy : {"a?b?", "(?:a)?", "[+?]", "\\+?", "\\Q*?\\E", "a{x}?", "(a+)?"})
        BOOST_TEST(!hob::util::has_lazy_repetition(greedy), greedy);
}

BOOST_AUTO_TEST_CASE(a_text_that_is_not_UTF_8_is_taken_as_Latin_1) {
    BOOST_TEST(regex("^caf. on$").search("caf\xe9 on"));
    BOOST_TEST(regex("^caf. on$").search("caf\xc3\xa9 on"));
    BOOST_TEST(regex("caf\xc3\xa9").search("caf\xe9"));
    BOOST_TEST(regex("[\xc3\xa9\xc3\xa8]$").search("caf\xe9"));
    BOOST_TEST(!regex("[\xc3\xa8]$").search("caf\xe9"));
    BOOST_TEST(regex("\xe2\x9c\x93 ready").search("\xff \xe2\x9c\x93 ready"));
    BOOST_TEST(regex("a.b").search(std::string_view("a\0b", 3)));
}

BOOST_AUTO_TEST_SUITE_END()
