#include "unit/protocol/mcp/schema_check.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <string>

using hob::unit::schema_mismatch;

BOOST_AUTO_TEST_SUITE(schema_check)

BOOST_AUTO_TEST_CASE(a_mismatch_is_described) {
    const struct {
        const char *schema, *value, *wrong;  // nullptr: it matches
    } rows[] = {
        {R"({"type":"object"})", "{}", nullptr},
        {R"({"type":"object"})", "[]", "what is given must be an object, not an array"},
        {R"({"properties":{"a":{"type":"integer"}}})", R"({"a":1.0})", nullptr},
        {R"({"properties":{"a":{"type":"integer"}}})", R"({"a":1.5})",
         "'a' must be an integer, not a number"},
        {R"({"properties":{"a":{"type":["string","null"]}}})", R"({"a":null})", nullptr},
        {R"({"properties":{"a":{"type":["string","null"]}}})", R"({"a":1})",
         "'a' must be a string or null, not an integer"},
        {R"({"required":["a"]})", "{}", "'a' is missing"},
        {R"({"additionalProperties":false})", R"({"b":1})", "'b' is not known"},
        {R"({"properties":{"a":{"enum":["x","y"]}}})", R"({"a":"z"})", R"('a' must be one of "x", "y")"},
        {R"({"properties":{"a":{"items":{"type":"string"}}}})", R"({"a":["x",1]})",
         "'a.1' must be a string, not an integer"},
        {R"({"properties":{"a":{"minLength":2}}})", R"({"a":"ä"})", "'a' must have a length of at least 2"},
        {R"({"properties":{"a":{"exclusiveMaximum":2}}})", R"({"a":2})", "'a' must be less than 2"},
        {R"({"properties":{"a":{"anyOf":[{"type":"string"},{"type":"integer"}]}}})", R"({"a":2})", nullptr},
        {R"({"properties":{"a":{"oneOf":[{"type":"number"},{"type":"integer"}]}}})", R"({"a":2})",
         "'a' fits more than one of what it may be"},
        {R"({"$defs":{"n":{"type":"string"}},"properties":{"a":{"$ref":"#/$defs/n"}}})", R"({"a":2})",
         "'a' must be a string, not an integer"},
        {R"({"$ref":"#"})", "{}", nullptr},
        {R"({"not":{"type":"object"}})", "{}", "what is given is what it may not be"},
        {"true", "5", nullptr},
    };
    for (const auto& row : rows) {
        BOOST_TEST_CONTEXT(row.schema << " " << row.value) {
            BOOST_TEST(schema_mismatch(row.schema, row.value).value_or("matches") ==
                       (row.wrong ? row.wrong : "matches"));
        }
    }
}

BOOST_AUTO_TEST_CASE(U29_a_schema_that_asks_for_too_many_checks_is_left_to_the_tool) {
    const std::string branches =
        R"({"$defs":{"x":{"anyOf":[{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}]}},"$ref":"#/$defs/x"})";
    std::string choices = R"({"$defs":{"y":{"enum":[)";
    for (int i = 0; i < 20'000; ++i)
        choices += "\"choice\",";
    choices +=
        R"(0]},"x":{"allOf":[{"not":{"$ref":"#/$defs/y"}},{"$ref":"#/$defs/x"},{"$ref":"#/$defs/x"}]}},"$ref":"#/$defs/x"})";
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& schema : {branches, choices})
        BOOST_TEST(schema_mismatch(schema, "{}").value_or("matches") == "matches");
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)));
    std::string many = "[0";
    for (int i = 0; i < 30'000; ++i)
        many += ",1";
    BOOST_TEST(schema_mismatch(R"({"items":{"type":"integer"}})", many + ",\"x\"]").value_or("matches") ==
               "'30001' must be an integer, not a string");
}

// Each is one step of a check, and long.
BOOST_AUTO_TEST_CASE(P16_long_texts_and_values_cost_as_many_steps_as_they_are_long) {
    std::string refs = "[";
    for (int i = 0; i < 8000; ++i)
        refs += R"({"$ref":"#/$defs/x"},)";
    refs += "true]";
    std::string array = "[0";
    for (int i = 0; i < 10'000; ++i)
        array += ",0";
    array += "]";
    const std::string text = "\"" + std::string(900'000, 'x') + "\"";
    std::string members = "{\"" + std::string(200'000, 'k') + "\":{\"a\":1";
    for (int i = 0; i < 20'000; ++i)
        members += ",\"k" + std::to_string(i) + "\":1";
    members += "}}";
    const std::string inside = R"({"additionalProperties":{"additionalProperties":{"not":{"type":"text"}}}})";
    const struct {
        std::string schema, value;
    } rows[] = {
        {R"({"$defs":{"x":{"const":)" + array + R"(}},"allOf":)" + refs + "}", array},
        {R"({"$defs":{"x":{"enum":[)" + array + R"(]}},"allOf":)" + refs + "}", array},
        {R"({"$defs":{"x":{"minLength":2}},"allOf":)" + refs + "}", text},
        {R"({"$defs":{"x":{"type":[)" + text.substr(0, 60'000) + R"("]}},"anyOf":)" + refs + "}", "1"},
        {inside, members},
    };
    const auto begin = std::chrono::steady_clock::now();
    for (const auto& row : rows)
        BOOST_TEST(schema_mismatch(row.schema, row.value).value_or("matches") == "matches");
    BOOST_TEST((std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)));
}

BOOST_AUTO_TEST_CASE(P16_a_schema_or_a_value_that_is_too_long_is_left_to_the_tool) {
    std::string words = R"({"enum":["y")";
    for (int i = 0; i < 40'000; ++i)
        words += ",\"word" + std::to_string(i) + "\"";
    BOOST_TEST(!schema_mismatch(words + "]}", "\"x\""));
    BOOST_TEST(!schema_mismatch(R"({"type":"object"})", "\"" + std::string(1'100'000, 'x') + "\""));
    std::string many = "[0";
    for (int i = 0; i < 60'000; ++i)
        many += ",1";
    BOOST_TEST(!schema_mismatch(R"({"type":"object"})", many + "]"));
}

BOOST_AUTO_TEST_CASE(a_long_list_of_choices_is_shown_by_its_beginning) {
    std::string words = R"({"enum":["w0")", shown = "what is given must be one of \"w0\"";
    for (int i = 1; i < 50; ++i) {
        words += ",\"w" + std::to_string(i) + "\"";
        if (i < 20) shown += ", \"w" + std::to_string(i) + "\"";
    }
    BOOST_TEST(schema_mismatch(words + "]}", "\"w\"").value_or("") == shown + ", or of 30 others");
    BOOST_TEST(!schema_mismatch(words + "]}", "\"w49\""));
    BOOST_TEST(!schema_mismatch(R"({"enum":[1,{"a":[2.0]}]})", R"({"a":[2]})"));
    BOOST_TEST(!schema_mismatch(R"({"const":1})", "1.0"));
    BOOST_TEST(schema_mismatch(R"({"const":{"a":1}})", R"({"b":1})").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
