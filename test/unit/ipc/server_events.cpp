// doc/protocol.md section 5 against the server alone: events, slow readers, an idle server.
#include "ipc/server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>
#include <exception>
#include <string>

#include "fixtures/server.hpp"

using namespace hob::ipc;
using namespace hob::test;

BOOST_FIXTURE_TEST_SUITE(server_events, serving)

BOOST_AUTO_TEST_CASE(W05_section_5_3_a_subscriber_that_never_reads_is_bounded_and_told_what_it_lost) {
    start();
    peer slow = greeted();
    slow.request("1", "subscribe");
    BOOST_TEST(line_of(slow) == result("1", "\"snapshot\""));
    peer other = greeted();
    const std::string params = R"({"text":")" + std::string(1000, 'e') + "\"}";
    const std::uint64_t sent = 20000;
    for (std::uint64_t i = 0; i < sent; ++i)
        under_test->publish("hob.event", params);
    slow.request("2", "ping");
    other.request("1", "ping");
    BOOST_TEST(line_of(other) == result("1", R"({"pong":true})"));

    std::uint64_t events = 0;
    std::uint64_t lost = 0;
    bool replied = false;
    while (lost == 0 || !replied) {
        const std::string line = line_of(slow);
        BOOST_REQUIRE(line != "<end>");
        if (line.find("hob.event") != std::string::npos) ++events;
        if (line == result("2", R"({"pong":true})")) replied = true;
        const auto at = line.find("{\"lost\":");
        if (at != std::string::npos) lost = std::strtoull(line.c_str() + at + 8, nullptr, 10);
    }
    BOOST_TEST(events + lost == sent);
    BOOST_TEST(events * 1000 < 4u << 20);
    under_test->publish("hob.event", "{}");
    BOOST_TEST(line_of(slow).find(R"("params":{})") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(W05_section_5_4_replies_are_never_dropped_and_reading_stops_instead) {
    start();
    peer slow = greeted();
    const int count = 60;
    for (int i = 0; i < count; ++i)
        slow.request(std::to_string(i), "big");
    peer other = greeted();
    other.request("1", "ping");
    BOOST_TEST(line_of(other) == result("1", R"({"pong":true})"));
    for (int i = 0; i < count; ++i) {
        const std::string line = line_of(slow);
        BOOST_REQUIRE(line.starts_with("{\"jsonrpc\":\"2.0\",\"id\":" + std::to_string(i) + ","));
        BOOST_REQUIRE(line.size() > 1u << 20);
    }
}

BOOST_AUTO_TEST_CASE(section_5_1_the_snapshot_comes_before_every_later_event) {
    start();
    peer client = greeted();
    client.send(request_line("1", "subscribe", "{}") + request_line("2", "publish", "{\"n\":1}"));
    BOOST_TEST(line_of(client) == result("1", "\"snapshot\""));
    BOOST_TEST(line_of(client) == R"({"jsonrpc":"2.0","method":"hob.event","params":{"n":1}})");
    BOOST_TEST(line_of(client) == result("2", "null"));
}

BOOST_AUTO_TEST_CASE(an_idle_server_has_nothing_to_do) {
    start();
    peer client = greeted();
    peer subscriber = greeted();
    subscriber.request("1", "subscribe");
    BOOST_TEST(line_of(subscriber) == result("1", "\"snapshot\""));
    io.restart();
    io.poll();
    io.restart();
    BOOST_TEST(io.run_one_for(100ms) == 0u);
}

BOOST_AUTO_TEST_CASE(idle_returns_when_all_is_answered_and_flushed) {
    start();
    peer client = greeted();
    client.request("1", "short");
    BOOST_TEST(run_until([&] { return under_test->in_flight() == 1; }));
    client.request("2", "big");
    bool idle = false;
    asio::co_spawn(io, under_test->idle(), [&](const std::exception_ptr& error) { idle = !error; });
    BOOST_TEST(!run_until([&] { return idle; }, 60ms));  // the large reply does not fit into the socket
    BOOST_TEST(under_test->in_flight() == 0u);
    line_of(client);
    line_of(client);
    BOOST_TEST(run_until([&] { return idle; }));
}

BOOST_AUTO_TEST_SUITE_END()
