#include "util/path_pattern.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using hob::util::expand_path_pattern;

BOOST_AUTO_TEST_SUITE(path_pattern)

BOOST_AUTO_TEST_CASE(U29_no_pattern_takes_long_or_much_memory) {
    std::string pairs, deep, brackets;
    for (int i = 0; i < 800; ++i)
        pairs += "{a,b}";
    for (int i = 0; i < 1000; ++i) {
        deep = "{" + deep + ",}";
        brackets += "{[";
    }
    const auto begin = std::chrono::steady_clock::now();
    BOOST_TEST(expand_path_pattern(pairs).error == "has more than 256 alternatives");
    BOOST_TEST(expand_path_pattern(deep).error == "has more than 256 alternatives");
    BOOST_TEST(expand_path_pattern(brackets).error == "has an open '{'");
    BOOST_TEST(expand_path_pattern(std::string(4000, '{')).error == "has an open '{'");
    BOOST_TEST(expand_path_pattern(std::string(1u << 20, '{')).error == "is longer than 4096 bytes");
    BOOST_TEST(expand_path_pattern(std::string(4096, 'a')).error == "");
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(2)));
}

BOOST_AUTO_TEST_SUITE_END()
