// doc/protocol.md sections 1 and 4 against the server alone: clients that leave, and clients that are
// refused.
#include "ipc/server.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "fixtures/server.hpp"

using namespace hob::ipc;
using namespace hob::test;

BOOST_FIXTURE_TEST_SUITE(server_clients, serving)

BOOST_AUTO_TEST_CASE(section_4_2_half_close_still_answers_and_then_closes) {
    start();
    peer client = greeted();
    client.request("1", "short");
    client.send("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}");
    client.half_close();
    BOOST_TEST(line_of(client) == result("2", R"({"pong":true})"));
    BOOST_TEST(line_of(client) == result("1", "\"slept\""));
    BOOST_TEST(line_of(client) == "<end>");
    BOOST_TEST(settle());
    BOOST_TEST(cancelled == 0);
}

BOOST_AUTO_TEST_CASE(section_4_2_a_subscriber_that_half_closed_still_gets_events) {
    start();
    peer client = greeted();
    client.request("1", "subscribe");
    client.half_close();
    BOOST_TEST(line_of(client) == result("1", "\"snapshot\""));
    under_test->publish("hob.event", "{}");
    BOOST_TEST(line_of(client).find("hob.event") != std::string::npos);
    client.hang_up();
    BOOST_TEST(settle());
}

BOOST_AUTO_TEST_CASE(W04_section_4_3_a_hang_up_cancels_what_only_that_client_waited_for) {
    start();
    peer first = greeted();
    peer second = greeted();
    first.request("1", "forever");
    first.request("2", "forever");
    second.request("1", "short");
    BOOST_TEST(run_until([&] { return under_test->in_flight() == 3; }));
    first.hang_up();
    BOOST_TEST(line_of(second) == result("1", "\"slept\""));
    BOOST_TEST(run_until([&] { return under_test->in_flight() == 0 && alive == 0; }));
    BOOST_TEST(cancelled == 2);
    BOOST_TEST(under_test->clients() == 1u);
}

BOOST_AUTO_TEST_CASE(W07_section_4_3_a_hang_up_after_half_close_is_noticed) {
    start();
    peer client = greeted();
    client.request("1", "forever");
    client.half_close();
    BOOST_TEST(run_until([&] { return under_test->in_flight() == 1; }));
    client.hang_up();
    BOOST_TEST(settle());
    BOOST_TEST(cancelled == 1);
}

BOOST_AUTO_TEST_CASE(W04_a_thousand_clients_killed_anywhere_leave_nothing) {
    start();
    peer steady = greeted();
    const int before = descriptors();
    const char* const methods_used[] = {"forever", "big", "subscribe", "ping", "short"};
    for (int round = 0; round < 200; ++round) {
        for (const auto* method : methods_used) {
            peer client(path);
            client.request("1", method);
            if (round % 3 == 0) client.send("{\"jsonrpc\":\"2.0\",\"id\":2,\"meth");
            for (int turns = round % 4; turns > 0; --turns) {
                io.restart();
                io.poll();
            }
            if (round % 5 == 0) under_test->publish("hob.event", "{}");
            if (round % 7 == 0) client.half_close();
        }
    }
    BOOST_TEST(
        run_until([&] { return under_test->clients() == 1 && under_test->in_flight() == 0 && alive == 0; }));
    BOOST_TEST(descriptors() == before);
    steady.request("9", "ping");
    BOOST_TEST(line_of(steady) == result("9", R"({"pong":true})"));
}

BOOST_AUTO_TEST_CASE(W04_section_1_3_a_server_may_be_destroyed_in_the_middle_of_everything) {
    const int before = descriptors();
    for (int round = 0; round < 20; ++round) {
        start();
        std::vector<peer> clients;
        for (int i = 0; i < 6; ++i) {
            clients.emplace_back(path);
            clients.back().request("1", i % 3 == 0 ? "forever" : i % 3 == 1 ? "big" : "subscribe");
        }
        for (int turns = round % 6; turns > 0; --turns) {
            io.restart();
            io.poll_one();
        }
        if (round % 2 == 0) under_test->publish("hob.event", "{}");
        under_test.reset();
        if (round % 3 == 0) BOOST_TEST(run_until([&] { return alive == 0; }));
        ::unlink(path.c_str());
    }
    BOOST_TEST(run_until([&] { return alive == 0; }));
    io.poll();
    BOOST_TEST(descriptors() <= before + 4);  // the event loop's own
}

BOOST_AUTO_TEST_CASE(W04_section_1_3_an_event_loop_destroyed_with_requests_in_flight_is_clean) {
    int still_alive = 0;
    {
        asio::io_context loop(1);
        dispatcher slow;
        slow.add("forever", [&](std::shared_ptr<session>, request) -> asio::awaitable<std::string> {
            const counted here(still_alive);
            asio::steady_timer timer(loop, 1h);
            co_await timer.async_wait(asio::use_awaitable);
            co_return "null";
        });
        std::optional<server> brief(
            std::in_place, loop.get_executor(), slow,
            server_options{[] { return notification_line("hob.hello", "{}"); }, owner, {}});
        unique_fd listening(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        BOOST_REQUIRE(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
        BOOST_REQUIRE(::listen(listening.get(), 16) == 0);
        brief->listen(std::move(listening));
        peer client(path);
        client.request("1", "forever");
        for (int turns = 0; turns < 1000 && still_alive == 0; ++turns)
            loop.run_one_for(10ms);
        BOOST_TEST(still_alive == 1);
        brief.reset();
    }
    BOOST_TEST(still_alive == 0);
}

BOOST_AUTO_TEST_CASE(W08_section_1_2_a_client_of_another_user_is_closed_without_a_word) {
    owner = ::getuid() + 1;
    start();
    peer client(path);
    BOOST_TEST(line_of(client) == "<end>");
    BOOST_TEST(under_test->clients() == 0u);
}

BOOST_AUTO_TEST_CASE(W06_section_1_4_without_descriptors_it_neither_spins_nor_ends) {
    start();
    peer steady = greeted();
    std::vector<peer> waiting;
    waiting.reserve(3);
    for (int i = 0; i < 3; ++i)
        waiting.emplace_back(path);
    rlimit old{};
    ::getrlimit(RLIMIT_NOFILE, &old);
    rlimit tight = old;
    tight.rlim_cur = static_cast<rlim_t>(descriptors() - 3);
    ::setrlimit(RLIMIT_NOFILE, &tight);
    io.restart();
    std::size_t turns = 0;
    const auto end = std::chrono::steady_clock::now() + 200ms;
    while (std::chrono::steady_clock::now() < end)
        turns += io.run_one_for(20ms);
    ::setrlimit(RLIMIT_NOFILE, &old);
    BOOST_TEST(turns < 20u);
    BOOST_TEST(under_test->clients() < 4u);
    steady.hang_up();
    for (auto& each : waiting)
        BOOST_TEST(line_of(each).find("hob.hello") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(cancel_all_answers_every_request_and_close_all_ends_every_connection) {
    start();
    peer client = greeted();
    client.request("1", "forever");
    BOOST_TEST(run_until([&] { return under_test->in_flight() == 1; }));
    under_test->cancel_all();
    BOOST_TEST(code_of_line(line_of(client)) == "1 -32016");
    under_test->announce(notification_line("hob.hello", "{\"state\":\"draining\"}"));
    BOOST_TEST(line_of(client).find("draining") != std::string::npos);
    under_test->stop_accepting();
    under_test->close_all();
    BOOST_TEST(line_of(client) == "<end>");
    BOOST_TEST(settle());
    BOOST_TEST(changes > 0);
}

BOOST_AUTO_TEST_SUITE_END()
