#include "util/suggest.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using hob::util::nearest;

namespace {

std::string best(std::string_view word, std::vector<std::string_view> candidates) {
    return std::string(nearest(word, candidates).value_or("-"));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(suggest)

BOOST_AUTO_TEST_CASE(typing_errors_are_recognised) {
    const std::vector<std::string_view> keys{"run", "restart", "ready", "shutdown_timeout",
                                             "env", "env_file"};
    BOOST_TEST(best("shutdwn_timeout", keys) == "shutdown_timeout");
    BOOST_TEST(best("rn", keys) == "run");
    BOOST_TEST(best("rnu", keys) == "run");
    BOOST_TEST(best("restrat", keys) == "restart");
    BOOST_TEST(best("envfile", keys) == "env_file");
    BOOST_TEST(best("reddy", keys) == "ready");
    BOOST_TEST(best("ruun", keys) == "run");
}

BOOST_AUTO_TEST_CASE(case_and_dashes_are_ignored) {
    BOOST_TEST(best("Shutdown-Timeout", {"shutdown", "shutdown_timeout"}) == "shutdown_timeout");
    BOOST_TEST(best("on_failure", {"never", "on-failure"}) == "on-failure");
    BOOST_TEST(best("term", {"TERM", "TRAP"}) == "TERM");
}

BOOST_AUTO_TEST_CASE(the_nearest_wins_and_the_first_of_equally_near) {
    BOOST_TEST(best("satrt", {"status", "start"}) == "start");
    BOOST_TEST(best("fob", {"foo", "fox"}) == "foo");
    BOOST_TEST(best("foo", {"fob", "foo"}) == "foo");
}

BOOST_AUTO_TEST_CASE(a_unique_prefix_is_completed) {
    BOOST_TEST(best("comp", {"completions", "check"}) == "completions");
    BOOST_TEST(best("stat", {"status", "start"}) == "status");
    BOOST_TEST(best("sta", {"status", "start"}) == "-");
    BOOST_TEST(best("comp", {"completions", "compose_files"}) == "-");
    BOOST_TEST(best("co", {"completions"}) == "-");
}

BOOST_AUTO_TEST_CASE(distant_words_are_not_suggested) {
    BOOST_TEST(best("x", {"a", "b"}) == "-");
    BOOST_TEST(best("db", {"dc"}) == "-");
    BOOST_TEST(best("elephant", {"run", "restart"}) == "-");
    BOOST_TEST(best("", {"run"}) == "-");
    BOOST_TEST(best("run", {}) == "-");
    BOOST_TEST(best("run", {""}) == "-");
}

BOOST_AUTO_TEST_CASE(long_words_are_cheap) {
    const std::string endless(1'000'000, 'a');
    BOOST_TEST(best(endless, {"a", "aaa"}) == "-");
    BOOST_TEST((best("aaa", {endless}) == "-"));
}

BOOST_AUTO_TEST_SUITE_END()
