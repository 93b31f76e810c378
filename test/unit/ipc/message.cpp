#include "ipc/message.hpp"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include "util/json/json_text.hpp"

using namespace hob::ipc;
using hob::error_kind;
using hob::failure;

namespace {

request accepted(std::string_view line) {
    auto parsed = parse_request(line);
    if (const auto* rejected = std::get_if<rejection>(&parsed)) {
        BOOST_FAIL("refused: " << line << ": " << rejected->message);
    }
    return std::get<request>(parsed);
}

rejection refused(std::string_view line) {
    auto parsed = parse_request(line);
    if (std::holds_alternative<request>(parsed)) BOOST_FAIL("accepted: " << line);
    return std::get<rejection>(parsed);
}

void refused_with(std::string_view line, int code, std::string_view id = "null") {
    const rejection why = refused(line);
    BOOST_TEST(why.code == code, line << ": " << why.message);
    BOOST_TEST(why.id == id, line << ": " << why.message);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message)

BOOST_AUTO_TEST_CASE(section_3_1_a_request_keeps_id_and_params_byte_for_byte) {
    const auto parsed = accepted(
        " {\"jsonrpc\" : \"2.0\", \"id\": 1.50e+3 , \"method\":\"a\\u002eb\",\"params\": [1.0, "
        "123456789012345678901] }\r");
    BOOST_TEST(parsed.id == "1.50e+3");
    BOOST_TEST(parsed.method == "a.b");
    BOOST_TEST(parsed.params == "[1.0, 123456789012345678901]");
    BOOST_TEST(accepted(R"({"jsonrpc":"2.0","method":"m"})").id.empty());
    BOOST_TEST(accepted(R"({"jsonrpc":"2.0","method":"m","id":9})").params.empty());
    BOOST_TEST(accepted(R"({"jsonrpc":"2\u002e0","method":"m","id":9})").id == "9");
}

BOOST_AUTO_TEST_CASE(W10_section_3_1_ids_of_every_kind_are_kept) {
    for (const std::string id : {"0", "-1", "1.5", "1e3", "\"text\"", "\"\\u00e9\"", "null", "\"\"",
                                 "99999999999999999999999999", "-0"}) {
        BOOST_TEST(accepted(R"({"jsonrpc":"2.0","method":"m","id":)" + id + "}").id == id);
    }
    for (const std::string id : {"true", "false", "[]", "{}", "[1]"}) {
        refused_with(R"({"jsonrpc":"2.0","method":"m","id":)" + id + "}", invalid_request);
    }
}

BOOST_AUTO_TEST_CASE(W02_section_3_2_what_is_not_json_is_a_parse_error_without_id) {
    for (const std::string line :
         {"{", "nonsense", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"", "\"\x80\"",
          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}}", "[1,2", "{\"id\":01}"}) {
        refused_with(line, parse_error);
    }
    const std::string deep(10000, '[');
    refused_with(deep, parse_error);
    refused_with(deep + std::string(10000, ']'), parse_error);
    refused_with("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":" + std::string(512, '[') +
                     std::string(512, ']') + "}",
                 parse_error);
    accepted("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\",\"params\":" + std::string(511, '[') +
             std::string(511, ']') + "}");
}

BOOST_AUTO_TEST_CASE(W02_section_3_2_what_is_no_request_is_an_invalid_request) {
    refused_with("[]", invalid_request);
    refused_with(R"([{"jsonrpc":"2.0","id":1,"method":"m"}])", invalid_request);
    refused_with("1", invalid_request);
    refused_with("\"text\"", invalid_request);
    refused_with("{}", invalid_request);
    refused_with(R"({"id":7,"method":"m"})", invalid_request, "7");
    refused_with(R"({"jsonrpc":"1.0","id":7,"method":"m"})", invalid_request, "7");
    refused_with(R"({"jsonrpc":2.0,"id":7,"method":"m"})", invalid_request, "7");
    refused_with(R"({"jsonrpc":"2.0","id":"x"})", invalid_request, "\"x\"");
    refused_with(R"({"jsonrpc":"2.0","id":7,"method":1})", invalid_request, "7");
    refused_with(R"({"jsonrpc":"2.0","id":7,"method":"m","params":null})", invalid_request, "7");
    refused_with(R"({"jsonrpc":"2.0","id":7,"method":"m","params":1})", invalid_request, "7");
    refused_with(R"({"jsonrpc":"2.0","id":7,"result":1})", invalid_request, "7");
}

BOOST_AUTO_TEST_CASE(W02_section_3_2_a_member_that_is_there_twice_is_refused) {
    refused_with(R"({"jsonrpc":"2.0","jsonrpc":"2.0","id":7,"method":"m"})", invalid_request, "7");
    refused_with(R"({"jsonrpc":"2.0","id":7,"id":7,"method":"m"})", invalid_request);
    refused_with(R"({"jsonrpc":"2.0","id":7,"method":"m","\u006dethod":"n"})", invalid_request, "7");
    refused_with(R"({"jsonrpc":"2.0","id":7,"method":"m","params":{},"params":[]})", invalid_request, "7");
    accepted(R"({"jsonrpc":"2.0","id":7,"method":"m","extra":1,"extra":2})");
    accepted(R"({"jsonrpc":"2.0","id":7,"method":"m","params":{"a":1,"a":2}})");
}

BOOST_AUTO_TEST_CASE(section_3_1_replies_are_one_line) {
    BOOST_TEST(result_line("\"x\"", "[1.50]") == "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"result\":[1.50]}\n");
    BOOST_TEST(result_line("1", "{\n  \"a\": \"b c\"\n}") ==
               "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"b c\"}}\n");
    BOOST_TEST(error_line("null", -32700, "a \"b\"") ==
               "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"a \\\"b\\\"\"}}\n");
    BOOST_TEST(notification_line("hob.event", "{}") ==
               "{\"jsonrpc\":\"2.0\",\"method\":\"hob.event\",\"params\":{}}\n");
    BOOST_TEST(request_line("1", "hob.ping", "") ==
               "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hob.ping\"}\n");
}

BOOST_AUTO_TEST_CASE(section_3_3_a_failure_crosses_the_wire_whole) {
    const failure why(error_kind::unit_unknown, "cannot find unit 'x': no such unit", "did you mean 'y'?",
                      R"({"n":1.0})");
    const std::string line = error_line("3", why);
    BOOST_TEST(line ==
               "{\"jsonrpc\":\"2.0\",\"id\":3,\"error\":{\"code\":-32012,\"message\":\"cannot find unit 'x': "
               "no such "
               "unit\",\"data\":{\"code\":\"unit_unknown\",\"hint\":\"did you mean "
               "'y'?\",\"detail\":{\"n\":1.0}}}}\n");
    const auto got = parse_incoming(line);
    BOOST_REQUIRE((got.what == incoming::kind::error));
    const failure back = failure_from_error(got.payload);
    BOOST_TEST((back.kind() == why.kind()));
    BOOST_TEST(back.what() == std::string(why.what()));
    BOOST_TEST(back.hint() == why.hint());
    BOOST_TEST(back.detail() == why.detail());
}

BOOST_AUTO_TEST_CASE(section_3_3_every_kind_has_its_own_code_and_comes_back) {
    std::set<int> codes;
    for (int i = 0; i <= static_cast<int>(error_kind::internal); ++i) {
        const auto kind = static_cast<error_kind>(i);
        BOOST_TEST(codes.insert(code_of(kind)).second);
        const auto got = parse_incoming(error_line("1", failure(kind, "cannot do 'it': because")));
        BOOST_TEST((failure_from_error(got.payload).kind() == kind));
    }
    BOOST_TEST(code_of(error_kind::usage) == -32602);
    BOOST_TEST(code_of(error_kind::config) == -32001);
    BOOST_TEST(code_of(error_kind::cancelled) == -32016);
    BOOST_TEST(code_of(error_kind::internal) == -32603);
}

BOOST_AUTO_TEST_CASE(section_3_3_an_error_of_an_unknown_kind_is_internal) {
    BOOST_TEST((failure_from_error(R"({"code":-1,"message":"m","data":{"code":"new_one"}})").kind() ==
                error_kind::internal));
    BOOST_TEST((failure_from_error(R"({"code":-32602,"message":"m"})").kind() == error_kind::usage));
    BOOST_TEST((failure_from_error("7").kind() == error_kind::internal));
    BOOST_TEST(std::string(failure_from_error(R"({"message":"m"})").what()) == "m");
}

BOOST_AUTO_TEST_CASE(section_3_1_a_client_tells_results_errors_and_notifications_apart) {
    using kind = incoming::kind;
    BOOST_TEST((parse_incoming(R"({"jsonrpc":"2.0","id":1,"result":null})").what == kind::result));
    BOOST_TEST(parse_incoming(R"({"jsonrpc":"2.0","id":1,"result":null})").payload == "null");
    BOOST_TEST((parse_incoming(R"({"jsonrpc":"2.0","id":null,"error":{}})").what == kind::error));
    BOOST_TEST((parse_incoming(R"({"jsonrpc":"2.0","method":"m"})").what == kind::notification));
    for (const auto bad :
         {"", "x", "[]", "{}", R"({"jsonrpc":"2.0","id":1})", R"({"id":1,"result":1})",
          R"({"jsonrpc":"2.0","id":1,"result":1,"error":{}})", R"({"jsonrpc":"2.0","id":1,"method":"m"})",
          R"({"jsonrpc":"2.0","id":1,"id":2,"result":1})", R"({"jsonrpc":"2.0","method":5})"}) {
        BOOST_TEST((parse_incoming(bad).what == kind::invalid), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
