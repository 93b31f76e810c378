#include "ipc/hello.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "ipc/message.hpp"
#include "paths.hpp"

using namespace hob::ipc;

namespace {

std::string golden(const std::string& name) {
    std::ifstream file(HOB_SOURCE_DIR "/test/golden/v1/" + name + ".json");
    BOOST_REQUIRE(file.good());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

hello example() { return {1, "0.1.0", 4242, "demo-0123456789ab", "/home/ann/demo", false, ""}; }

const std::vector<std::string> methods{"a", "b"};

}  // namespace

BOOST_AUTO_TEST_SUITE(hello_frames)

BOOST_AUTO_TEST_CASE(W09_section_7_the_greeting_has_its_golden_bytes) {
    hello greeting = example();
    BOOST_TEST(hello_line(greeting, methods) == golden("hello"));
    greeting.draining = true;
    BOOST_TEST(hello_line(greeting, {}) == golden("hello_draining"));
    greeting = {1, "0.1.0", 4242, "_-0123456789ab", "/home/\xff", false, ""};
    BOOST_TEST(hello_line(greeting, {}) == golden("hello_root_b64"));
}

BOOST_AUTO_TEST_CASE(W09_section_7_ping_and_shutdown_have_their_golden_bytes) {
    BOOST_TEST(result_line("1", ping_result({4242, "0.1.0", 1, false, 12345})) == golden("ping_reply"));
    BOOST_TEST(result_line("1", shutdown_result({4242})) == golden("shutdown_reply"));
    BOOST_TEST(request_line("1", "hob.ping", "{}") == golden("ping_request"));
    BOOST_TEST(request_line("1", "hob.shutdown", "{}") == golden("shutdown_request"));
}

BOOST_AUTO_TEST_CASE(W09_section_7_every_released_form_is_still_understood) {
    const auto greeting = parse_hello(golden("hello"));
    BOOST_REQUIRE(greeting.has_value());
    BOOST_TEST(greeting->protocol == 1);
    BOOST_TEST(greeting->version == "0.1.0");
    BOOST_TEST(greeting->pid == 4242);
    BOOST_TEST(greeting->instance == "demo-0123456789ab");
    BOOST_TEST(greeting->root == "/home/ann/demo");
    BOOST_TEST(!greeting->draining);
    BOOST_TEST(parse_hello(golden("hello_draining"))->draining);
    BOOST_TEST(parse_hello(golden("hello_root_b64"))->root == "/home/\xff");
    BOOST_TEST(greeting->config_state.empty());
    hello changed = example();
    changed.config_state = "broken";
    BOOST_TEST(parse_hello(hello_line(changed, methods))->config_state == "broken");

    const auto ping = parse_ping_result(parse_incoming(golden("ping_reply")).payload);
    BOOST_REQUIRE(ping.has_value());
    BOOST_TEST(ping->pid == 4242);
    BOOST_TEST(ping->uptime_ms == 12345);
    BOOST_TEST(!ping->draining);
    BOOST_TEST(parse_shutdown_result(parse_incoming(golden("shutdown_reply")).payload)->pid == 4242);
    BOOST_TEST(std::get<request>(parse_request(golden("ping_request"))).method == "hob.ping");
    BOOST_TEST(std::get<request>(parse_request(golden("shutdown_request"))).method == "hob.shutdown");
}

BOOST_AUTO_TEST_CASE(section_7_members_that_are_new_are_ignored) {
    const auto greeting = parse_hello(
        R"({"jsonrpc":"2.0","new":[1],"method":"hob.hello","params":{"x":{"y":1},"state":"running","capabilities":["c",{"d":1}],"root":"/r","instance":"i","pid":5,"version":"9","protocol":2}})");
    BOOST_REQUIRE(greeting.has_value());
    BOOST_TEST(greeting->protocol == 2);
    BOOST_TEST(parse_ping_result(
                   R"({"pid":1,"version":"1","protocol":1,"state":"draining","uptime_ms":0,"new":null})")
                   ->draining);
}

BOOST_AUTO_TEST_CASE(L26_section_7_what_is_no_greeting_is_not_taken_for_one) {
    for (
        const auto bad :
        {"", "220 mail.example ESMTP", "{}", R"({"jsonrpc":"2.0","method":"hob.hello"})",
         R"({"jsonrpc":"2.0","method":"hob.hullo","params":{"protocol":1,"version":"1","pid":1,"instance":"i","root":"/","state":"running"}})",
         R"({"jsonrpc":"2.0","method":"hob.hello","params":{"protocol":1,"version":"1","pid":"1","instance":"i","root":"/","state":"running"}})",
         R"({"jsonrpc":"2.0","method":"hob.hello","params":{"protocol":1,"version":"1","pid":1,"instance":"i","root":"/","state":"gone"}})",
         R"({"jsonrpc":"2.0","id":1,"result":{"protocol":1}})"}) {
        BOOST_TEST(!parse_hello(bad).has_value(), bad);
    }
}

BOOST_AUTO_TEST_SUITE_END()
