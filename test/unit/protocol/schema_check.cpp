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
    for (int i = 0; i < 50'000; ++i)
        many += ",1";
    BOOST_TEST(schema_mismatch(R"({"items":{"type":"integer"}})", many + ",\"x\"]").value_or("matches") ==
               "'50001' must be an integer, not a string");
}

BOOST_AUTO_TEST_SUITE_END()
