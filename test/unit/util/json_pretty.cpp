#include "util/json/json_pretty.hpp"

#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include "util/json/json_text.hpp"

using namespace hob::util;

BOOST_AUTO_TEST_SUITE(json_pretty_printing)

BOOST_AUTO_TEST_CASE(it_indents_by_two_and_keeps_every_number_and_string) {
    BOOST_TEST(json_pretty(R"({"a":[1.50,{"b":"x,{}:"},[],{}],"n":null})", false) ==
               "{\n  \"a\": [\n    1.50,\n    {\n      \"b\": \"x,{}:\"\n    },\n    [],\n    {}\n  ],\n  "
               "\"n\": null\n}");
    BOOST_TEST(json_pretty(" 1e3 ", false) == "1e3");
    BOOST_TEST(json_pretty("[ ]", false) == "[]");
    BOOST_TEST(json_pretty(R"("\"")", false) == R"("\"")");
}

BOOST_AUTO_TEST_CASE(it_colours_keys_strings_numbers_and_literals_differently) {
    BOOST_TEST(json_pretty(R"({"k":["s",-1,true]})", true) ==
               "{\n  \033[34m\"k\"\033[0m: [\n    \033[32m\"s\"\033[0m,\n    \033[36m-1\033[0m,\n    "
               "\033[35mtrue\033[0m\n  ]\n}");
}

BOOST_AUTO_TEST_CASE(compact_drops_white_space_between_tokens_only) {
    BOOST_TEST(json_compact(" { \"a b\" : [ 1 , 2.0 ] ,\n\t\"c\":\"\\n \" } ") ==
               R"({"a b":[1,2.0],"c":"\n "})");
    BOOST_TEST(json_compact(json_pretty(R"({"a":[1,{"b":[]}]})", false)) == R"({"a":[1,{"b":[]}]})");
}

BOOST_AUTO_TEST_CASE(S04_invalid_text_is_printed_without_fault) {
    std::mt19937 random(3);
    const std::string alphabet = "{}[],:\"\\ a1\n";
    for (int round = 0; round < 20000; ++round) {
        std::string text;
        for (auto n = random() % 20; n != 0; --n)
            text.push_back(alphabet[random() % alphabet.size()]);
        const std::string compact = json_compact(text);
        const std::string pretty = json_pretty(text, (round & 1) != 0);
        if (!validate_json(text, 64)) BOOST_TEST(json_compact(json_pretty(text, false)) == compact);
        BOOST_TEST(pretty.size() + 64 >= compact.size());
    }
}

BOOST_AUTO_TEST_SUITE_END()
