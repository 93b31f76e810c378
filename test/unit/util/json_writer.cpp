#include <boost/test/unit_test.hpp>

#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

using hob::util::json_array;
using hob::util::json_object;
using hob::util::raw_json;

BOOST_AUTO_TEST_CASE(writes_members_in_order_with_every_text_quoted) {
    json_object object;
    BOOST_TEST(object.empty());
    object.add("text", "a\"b\n")
        .add("count", -3)
        .add("big", ~std::uint64_t{0})
        .add("on", true)
        .add("none", nullptr);
    BOOST_TEST(!object.empty());
    BOOST_TEST(std::move(object).text() ==
               R"({"text":"a\"b\n","count":-3,"big":18446744073709551615,"on":true,"none":null})");
}

BOOST_AUTO_TEST_CASE(keeps_the_bytes_of_raw_json) {
    BOOST_TEST(json_object().add("result", raw_json{"1.50"}).text() == R"({"result":1.50})");
}

BOOST_AUTO_TEST_CASE(an_empty_optional_is_null_or_left_out) {
    json_object object;
    object.add("a", std::optional<int>())
        .add_if("b", std::optional<int>())
        .add_if("c", std::optional<int>(2));
    BOOST_TEST(object.text() == R"({"a":null,"c":2})");
}

BOOST_AUTO_TEST_CASE(nests) {
    json_array list;
    BOOST_TEST(list.text() == "[]");
    list.add("x").add(json_object().add("y", 1)).add(json_array());
    BOOST_TEST(list.text() == R"(["x",{"y":1},[]])");
    BOOST_TEST(json_object().text() == "{}");
}

BOOST_AUTO_TEST_CASE(begins_with_the_members_of_another_object) {
    BOOST_TEST(json_object(raw_json{"{}"}).add("a", 1).text() == R"({"a":1})");
    BOOST_TEST(json_object(raw_json{R"({"a":1})"}).add("b", std::string("2")).text() == R"({"a":1,"b":"2"})");
}

BOOST_AUTO_TEST_CASE(invalid_utf8_and_keys_with_quotes_give_valid_json) {
    const std::string text = json_object().add("k\"ey", "\xff\x01").text();
    BOOST_TEST(!hob::util::validate_json(text, 8));
}
