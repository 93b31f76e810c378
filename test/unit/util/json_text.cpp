#include "util/json/json_text.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

using namespace hob::util;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

bool valid(std::string_view text, int max_depth = 512) { return !validate_json(text, max_depth); }

bool valid_for_boost(std::string_view text, bool& comparable) {
    boost::json::parse_options options;
    options.max_depth = 512;
    boost::json::stream_parser parser({}, options);
    boost::system::error_code error;
    parser.write(text.data(), text.size(), error);
    if (!error) parser.finish(error);
    // Boost.JSON refuses numbers outside the range of its types; RFC 8259 allows them.
    comparable = error != boost::json::error::exponent_overflow;
    return !error;
}

const std::vector<std::string_view> corpus{
    R"({"jsonrpc":"2.0","id":1,"method":"hob.ping","params":{}})",
    R"([1,-0,0.5,1e3,1E+3,-1.25e-7,123456789012345678901234567890,0e0])",
    R"(["","\"\\\/\b\f\n\r\t","é","𝄞","𐍈 ÿ ࠀ"," "])",
    R"({"a":{"b":[{"c":[[],{},[[]]]}]},"":null,"t":true,"f":false})",
    " \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\" : \"x\" } \n",
    R"("just a string that is rather longer than eight bytes and then some")",
    "3.14",
    "null",
    R"({"key":"value","key":"again","nested":{"deep":[1,[2,[3,[4,[5]]]]]}})",
};

std::string nested(int depth) { return std::string(depth, '[') + std::string(depth, ']'); }

}  // namespace

BOOST_AUTO_TEST_SUITE(json_text)

BOOST_AUTO_TEST_CASE(W02_valid_json_is_accepted) {
    for (const auto text : corpus)
        BOOST_TEST(valid(text), text);
    BOOST_TEST(valid("\"\\u0000\""));
    BOOST_TEST(valid("\"\x7f\""));
    BOOST_TEST(valid("1e999999999999"));
    BOOST_TEST(valid("-0"));
    BOOST_TEST(valid("\"\\ud834\\udd1e\""));
}

BOOST_AUTO_TEST_CASE(W02_invalid_json_is_refused) {
    for (const auto text : {"",
                            " ",
                            "{",
                            "}",
                            "[",
                            "]",
                            "[1,]",
                            "[,1]",
                            "{,}",
                            "{\"a\"}",
                            "{\"a\":}",
                            "{\"a\":1,}",
                            "{a:1}",
                            "{1:1}",
                            "[1 2]",
                            "01",
                            "-",
                            "-01",
                            "1.",
                            ".5",
                            "1e",
                            "1e+",
                            "+1",
                            "0x10",
                            "NaN",
                            "Infinity",
                            "tru",
                            "truex",
                            "nul",
                            "True",
                            "'a'",
                            "\"",
                            "\"a",
                            "\"\\\"",
                            "\"\\x\"",
                            "\"\\u12\"",
                            "\"\\u12g4\"",
                            "\"\t\"",
                            "\"\n\"",
                            "1 1",
                            "{} {}",
                            "[]]",
                            "[}",
                            "{]",
                            "/**/1",
                            "1//",
                            "\xEF\xBB\xBF"
                            "1"}) {
        BOOST_TEST(!valid(text), text);
    }
    BOOST_TEST(!valid("\"\0\""sv));
    BOOST_TEST(!valid("1\0"sv));
    BOOST_TEST(!valid("\0"sv));
}

BOOST_AUTO_TEST_CASE(W02_invalid_utf8_and_lone_surrogates_are_refused) {
    for (const auto text :
         {"\"\x80\"", "\"\xC0\x80\"", "\"\xC1\xBF\"", "\"\xC3\"", "\"\xE0\x9F\xBF\"", "\"\xED\xA0\x80\"",
          "\"\xE2\x82\"", "\"\xF0\x8F\xBF\xBF\"", "\"\xF4\x90\x80\x80\"", "\"\xF5\x80\x80\x80\"", "\"\xFF\"",
          "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800x\"", "\"\\udc00\\ud800\"",
          "\"\\ud800\\ud800\""}) {
        BOOST_TEST(!valid(text), text);
    }
    BOOST_TEST(is_utf8("\xF0\x90\x8D\x88 \xC3\xA9 and plain text that is long"));
    BOOST_TEST(!is_utf8("long enough to skip in words \xC3"));
}

BOOST_AUTO_TEST_CASE(W02_depth_is_limited_and_costs_no_stack) {
    BOOST_TEST(valid("1", 0));
    BOOST_TEST(!valid("[]", 0));
    BOOST_TEST(valid(nested(512)));
    BOOST_TEST(!valid(nested(513)));
    BOOST_TEST(valid(nested(1024), 1 << 20));
    BOOST_TEST(!valid(nested(1025), 1 << 20));
    BOOST_TEST(!valid(nested(1 << 20), 512));
    BOOST_TEST(!json_object_members("{\"a\":" + nested(512) + "}").has_value());
    BOOST_TEST(json_object_members("{\"a\":" + nested(511) + "}").has_value());
    BOOST_TEST(!json_array_elements("[" + nested(512) + "]").has_value());
}

BOOST_AUTO_TEST_CASE(an_error_has_its_offset) {
    BOOST_TEST(validate_json("[1,x]", 8)->offset == 3u);
    BOOST_TEST(validate_json("\"abcdefghijk\x01\"", 8)->offset == 12u);
    BOOST_TEST(validate_json("{} x", 8)->offset == 3u);
}

BOOST_AUTO_TEST_CASE(S04_agrees_with_boost_json_on_random_mutations) {
    std::mt19937 random(20260101);
    const std::string_view alphabet =
        "{}[],:\"\\ \n0123456789.eE+-truefalsn/ubd\x00\x1f\x7f\x80\xbf\xc3\xe2\xed\xf0\xff"sv;
    for (int round = 0; round < 60000; ++round) {
        std::string text(corpus[random() % corpus.size()]);
        for (auto edits = 1 + random() % 3; edits != 0; --edits) {
            const std::size_t at = random() % (text.size() + 1);
            const char byte = alphabet[random() % alphabet.size()];
            switch (random() % 4) {
                case 0:
                    text.insert(at, 1, byte);
                    break;
                case 1:
                    text.erase(at, 1);
                    break;
                case 2:
                    text.resize(at);
                    break;
                default:
                    if (at < text.size()) text[at] = byte;
            }
        }
        bool comparable = true;
        const bool expected = valid_for_boost(text, comparable);
        if (comparable && valid(text) != expected) BOOST_ERROR("disagreement on: " << text);
    }
}

BOOST_AUTO_TEST_CASE(S04_quoting_any_bytes_gives_a_json_string_that_boost_reads) {
    std::mt19937 random(7);
    for (int round = 0; round < 20000; ++round) {
        std::string bytes;
        for (auto n = random() % 24; n != 0; --n)
            bytes.push_back(static_cast<char>(random()));
        const std::string quoted = json_quote(bytes);
        BOOST_REQUIRE(valid(quoted));
        const auto back = json_unquote(quoted);
        BOOST_REQUIRE(back.has_value());
        if (is_utf8(bytes)) BOOST_TEST(*back == bytes);
        BOOST_TEST(boost::json::parse(quoted).as_string() == *back);
    }
}

BOOST_AUTO_TEST_CASE(quoting_escapes_as_required_and_replaces_invalid_utf8) {
    BOOST_TEST(json_quote("a\"\\\n\x01é") == "\"a\\\"\\\\\\n\\u0001é\"");
    BOOST_TEST(json_quote("\xE2\x82"
                          "a\xFF\xFE") ==
               "\"\xEF\xBF\xBD"
               "a\xEF\xBF\xBD\xEF\xBF\xBD\"");
    BOOST_TEST(json_quote("\0"sv) == "\"\\u0000\"");
}

BOOST_AUTO_TEST_CASE(unquoting_handles_every_escape) {
    BOOST_TEST(json_unquote(R"("a\n\/\u00e9\ud834\udd1e")").value() == "a\n/é𝄞");
    BOOST_TEST(json_unquote("\"\\u0000\"").value() == "\0"s);
    BOOST_TEST(!json_unquote("1").has_value());
    BOOST_TEST(!json_unquote("\"a\" b").has_value());
    BOOST_TEST(!json_unquote("\"\\ud800\"").has_value());
}

BOOST_AUTO_TEST_CASE(members_are_slices_in_order_with_duplicates) {
    const std::string text = R"( { "a" : 1.50 , "b":[1, 2] ,"\u0061": {"x":"}"} } )";
    const auto members = json_object_members(text);
    BOOST_REQUIRE(members.has_value());
    BOOST_REQUIRE(members->size() == 3u);
    BOOST_TEST((*members)[0].value == "1.50");
    BOOST_TEST((*members)[1].value == "[1, 2]");
    BOOST_TEST((*members)[2].key == "a");
    BOOST_TEST((*members)[2].key_raw == R"("\u0061")");
    BOOST_TEST((*members)[2].value == R"({"x":"}"})");
    BOOST_TEST(json_object_members("{ }")->empty());
    for (const auto bad : {"[]", "1", "", "{", "{\"a\":1}x", "{\"a\":1,}", "{\"a\" 1}"}) {
        BOOST_TEST(!json_object_members(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_CASE(elements_are_slices) {
    const auto elements = json_array_elements(R"([ 1e3, "a,b" ,[], {"k":[1]} ])");
    BOOST_REQUIRE(elements.has_value());
    BOOST_TEST(*elements == (std::vector<std::string_view>{"1e3", "\"a,b\"", "[]", "{\"k\":[1]}"}),
               boost::test_tools::per_element());
    BOOST_TEST(json_array_elements(" [ ] ")->empty());
    BOOST_TEST(!json_array_elements("[1,]").has_value());
    BOOST_TEST(!json_array_elements("{}").has_value());
}

BOOST_AUTO_TEST_CASE(integers_and_booleans_are_exact) {
    BOOST_TEST(json_integer("-9223372036854775808").value() == INT64_MIN);
    for (const auto bad : {"9223372036854775808", "1.0", "1e3", "01", "+1", "\"1\"", "", "1 "}) {
        BOOST_TEST(!json_integer(bad).has_value(), bad);
    }
    BOOST_TEST(json_boolean("true").value());
    BOOST_TEST(!json_boolean("1").has_value());
}

BOOST_AUTO_TEST_CASE(base64_round_trips_and_is_strict) {
    BOOST_TEST(base64_encode("") == "");
    BOOST_TEST(base64_encode("f") == "Zg==");
    BOOST_TEST(base64_encode("fo") == "Zm8=");
    BOOST_TEST(base64_encode("foobar") == "Zm9vYmFy");
    BOOST_TEST(base64_encode("\xff\xfe\xfd") == "//79");
    for (int length = 0; length < 64; ++length) {
        std::string bytes;
        for (int i = 0; i < length; ++i)
            bytes.push_back(static_cast<char>(i * 37 + length));
        BOOST_TEST(base64_decode(base64_encode(bytes)).value() == bytes);
    }
    for (const auto bad : {"Z", "Zg=", "Zh==", "Zg==Zg==", "Z===", "====", "Z g=", "Zm9v\n"}) {
        BOOST_TEST(!base64_decode(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
