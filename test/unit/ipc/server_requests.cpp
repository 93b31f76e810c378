// doc/protocol.md sections 2 to 4 against the server alone: requests and replies.
#include "ipc/server.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

#include "fixtures/server.hpp"

using namespace hob::ipc;
using namespace hob::test;

BOOST_FIXTURE_TEST_SUITE(server_requests, serving)

BOOST_AUTO_TEST_CASE(section_2_2_greets_and_answers_what_was_sent_without_waiting) {
    start();
    peer client(path);
    client.request("1", "echo", "[1.50]");
    BOOST_TEST(line_of(client).find("hob.hello") != std::string::npos);
    BOOST_TEST(line_of(client) == result("1", "[1.50]"));
    BOOST_TEST(under_test->clients() == 1u);
}

BOOST_AUTO_TEST_CASE(W02_section_2_1_requests_split_at_every_byte_and_many_at_once) {
    start();
    peer client = greeted();
    const std::string text = request_line("7", "ping", "{}") + "\r\n\n  \n" + request_line("8", "ping", "{}");
    for (const char byte : text) {
        client.send(std::string_view(&byte, 1));
        io.restart();
        io.poll();
    }
    BOOST_TEST(line_of(client) == result("7", R"({"pong":true})"));
    BOOST_TEST(line_of(client) == result("8", R"({"pong":true})"));
    std::string many;
    for (int i = 0; i < 1000; ++i)
        many += request_line(std::to_string(i), "echo", "[]");
    client.send(many);
    for (int i = 0; i < 1000; ++i)
        BOOST_REQUIRE(line_of(client) == result(std::to_string(i), "[]"));
}

BOOST_AUTO_TEST_CASE(W02_W03_section_3_2_bad_lines_are_answered_and_the_rest_goes_on) {
    start();
    peer client = greeted();
    client.request("1", "short");
    client.send("not json\n[]\n" + std::string(10000, '[') + "\n{\"id\":1}\n");
    client.request("2", "nothing");
    client.send("{\"jsonrpc\":\"2.0\",\"method\":\"nothing\"}\n");
    for (const auto* expected : {"null -32700", "null -32600", "null -32700", "1 -32600", "2 -32601"}) {
        BOOST_TEST(code_of_line(line_of(client)) == expected);
    }
    BOOST_TEST(line_of(client) == result("1", "\"slept\""));
}

BOOST_AUTO_TEST_CASE(W10_section_3_1_replies_carry_their_own_id_and_equal_ids_do_not_meet) {
    start();
    peer first = greeted();
    peer second = greeted();
    first.request("1", "short");
    second.request("1", "echo", "[2]");
    first.request("\"x\"", "echo", "[1]");
    first.request("null", "echo", "[3]");
    BOOST_TEST(line_of(second) == result("1", "[2]"));
    BOOST_TEST(line_of(first) == result("\"x\"", "[1]"));
    BOOST_TEST(line_of(first) == result("null", "[3]"));
    BOOST_TEST(line_of(first) == result("1", "\"slept\""));
}

BOOST_AUTO_TEST_CASE(section_3_3_failures_of_handlers_are_answered) {
    start();
    peer client = greeted();
    client.request("1", "fail");
    BOOST_TEST(line_of(client).find(R"("data":{"code":"unit_unknown","hint":"try 'y'"})") !=
               std::string::npos);
    client.request("2", "crash");
    BOOST_TEST(code_of_line(line_of(client)) == "2 -32603");
    client.request("3", "late_fail");
    BOOST_TEST(code_of_line(line_of(client)) == "3 -32011");
    client.request("4", "throws_early");
    BOOST_TEST(code_of_line(line_of(client)) == "4 -32602");
    client.request("5", "at_once");
    BOOST_TEST(line_of(client) == result("5", "\"at once\""));
    BOOST_TEST(under_test->in_flight() == 0u);
}

BOOST_AUTO_TEST_CASE(section_3_4_a_notification_is_executed_and_not_answered) {
    start();
    peer client = greeted();
    client.send(notification_line("note", "{}") + notification_line("fail", "{}") +
                notification_line("short", "{}"));
    client.request("1", "ping");
    BOOST_TEST(line_of(client) == result("1", R"({"pong":true})"));
    BOOST_TEST(notified == 1);
    client.hang_up();
    BOOST_TEST(settle());
    BOOST_TEST(cancelled == 0);
}

BOOST_AUTO_TEST_CASE(section_3_4_a_notification_counts_although_its_sender_is_gone_at_once) {
    start();
    for (int i = 0; i < 100; ++i)
        peer(path).send(notification_line("note", "{}"));
    BOOST_TEST(run_until([&] { return notified == 100 && under_test->clients() == 0; }));
}

BOOST_AUTO_TEST_CASE(W01_section_2_4_oversized_request_and_reply_are_errors_of_their_own) {
    start();
    peer client = greeted();
    client.request("1", "huge");
    BOOST_TEST(code_of_line(line_of(client)) == "1 -32603");
    const std::string head = R"({"jsonrpc":"2.0","id":2,"method":"echo","params":[")";
    const std::string large =
        head + std::string(hob::limits::line_max, 'x') + "\"]}\n" + request_line("3", "ping", "{}");
    std::size_t at = 0;
    std::optional<std::string> got;
    BOOST_TEST(run_until([&] {
        at += client.send(std::string_view(large).substr(at, 1u << 20));
        client.receive();
        return at == large.size();
    }));
    BOOST_TEST(code_of_line(line_of(client)) == "null -32600");
    BOOST_TEST(line_of(client) == result("3", R"({"pong":true})"));
}

BOOST_AUTO_TEST_CASE(section_4_4_more_requests_than_may_be_in_flight_are_read_later) {
    start();
    peer client = greeted();
    const std::size_t most = hob::limits::session_requests_max;
    std::string many;
    for (std::size_t i = 0; i < most + 50; ++i)
        many += request_line(std::to_string(i), "forever", "{}");
    std::size_t at = 0;
    BOOST_TEST(run_until([&] {
        if (at < many.size()) at += client.send(std::string_view(many).substr(at));
        return at == many.size() && under_test->in_flight() == most;
    }));
    BOOST_TEST(!run_until([&] { return under_test->in_flight() != most; }, 30ms));
    under_test->cancel_all();
    for (std::size_t i = 0; i < most; ++i)
        BOOST_REQUIRE(code_of_line(line_of(client)).ends_with(" -32016"));
    BOOST_TEST(run_until([&] { return under_test->in_flight() == 50; }));
    client.hang_up();
    BOOST_TEST(settle());
}

BOOST_AUTO_TEST_SUITE_END()
