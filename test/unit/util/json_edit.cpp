#include "util/json/json_edit.hpp"

#include <boost/test/unit_test.hpp>

using namespace hob::util;

BOOST_AUTO_TEST_SUITE(json_edit)

BOOST_AUTO_TEST_CASE(members_are_found_with_their_bytes) {
    const char* text = R"({"a":{"b": 1.50 ,"b":2.0},"c":[1]})";
    BOOST_TEST(json_find(text, {"a", "b"}) == "2.0");
    BOOST_TEST(json_find(text, {"c", "b"}).empty());
    BOOST_TEST(json_find("[", {"c"}).empty());
    BOOST_TEST(json_find_integer(text, {"a", "b"}).has_value() == false);
}

BOOST_AUTO_TEST_CASE(setting_a_member_keeps_all_others) {
    BOOST_TEST(json_set(R"({"x": 1.50,"a":{"n":1e3}})", {"a", "b"}, "true") ==
               R"({"x":1.50,"a":{"n":1e3,"b":true}})");
    BOOST_TEST(json_set("", {"a", "b"}, "1") == R"({"a":{"b":1}})");
    BOOST_TEST(json_set(R"({"a":5})", {"a", "b"}, "1") == R"({"a":{"b":1}})");
    BOOST_TEST(json_without(R"({"a":1,"b":2})", "a") == R"({"b":2})");
}

BOOST_AUTO_TEST_CASE(merging_goes_into_objects_only) {
    BOOST_TEST(json_merge(R"({"a":{"x":1,"y":2},"b":1})", R"({"a":{"y":3.0},"b":{"n":1},"c":null})") ==
               R"({"a":{"x":1,"y":3.0},"b":{"n":1},"c":null})");
    BOOST_TEST(json_merge("{}", "") == "{}");
    BOOST_TEST(json_merge("[1]", "{}") == "{}");
}

BOOST_AUTO_TEST_SUITE_END()
