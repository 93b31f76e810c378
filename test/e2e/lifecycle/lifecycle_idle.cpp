// A daemon that nobody asks does nothing.

#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(lifecycle_idle)

BOOST_AUTO_TEST_CASE(an_idle_daemon_makes_no_context_switch_in_ten_seconds_also_with_a_warm_worker) {
    sandbox plain;
    BOOST_REQUIRE(plain.run({"ping"}).status == 0);
    sandbox warm;
    warm.config("[daemon]\nidle_timeout = \"2h\"\n" + echo_worker("echo", "idle_timeout = \"1h\""));
    BOOST_REQUIRE(warm.run({"call", "echo", "echo", "1"}).status == 0);
    const pid_t pids[] = {plain.daemon_pid(), warm.daemon_pid()};
    // What the last client left to do is over once nothing changes for a while.
    long settled[2];
    for (int i = 0; i < 2; ++i) {
        settled[i] = -1;
        BOOST_REQUIRE(wait_until([&] {
            const long before = context_switches(pids[i]);
            let_pass(500ms);
            settled[i] = context_switches(pids[i]);
            return before == settled[i] && before > 0;
        }));
    }
    let_pass(10s);
    BOOST_TEST(context_switches(pids[0]) == settled[0]);
    BOOST_TEST(context_switches(pids[1]) == settled[1]);
    BOOST_TEST(plain.daemon_pid() == pids[0]);
}

BOOST_AUTO_TEST_CASE(L15_an_idle_timeout_ends_it_and_leaves_nothing) {
    sandbox box;
    box.config("[daemon]\nidle_timeout = \"300ms\"\n");
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 5s));
    BOOST_TEST(!exists(box.socket()));
    BOOST_TEST(!exists(box.pid_file()));
    BOOST_TEST(box.run({"ping"}).status == 0);
}

BOOST_AUTO_TEST_CASE(L15_calls_that_arrive_around_the_idle_exit_never_fail) {
    sandbox box;
    box.config("[daemon]\nidle_timeout = \"150ms\"\n");
    const int steps = scaled(60);
    for (int i = 0; i < steps; ++i) {
        const auto ping = box.run({"ping", "--json"});
        BOOST_TEST(ping.status == 0, i << ": " << ping.text());
        let_pass(120ms + std::chrono::microseconds(60'000 * i / steps));
        BOOST_TEST(box.processes().size() <= 2u);  // one, and perhaps one on its way out
    }
}

BOOST_AUTO_TEST_CASE(L15_a_subscriber_keeps_it_alive) {
    sandbox box;
    box.config("[daemon]\nidle_timeout = \"200ms\"\n");
    auto events = box.start({"events"});
    BOOST_REQUIRE(wait_until([&] { return box.daemon_pid() > 0; }));
    const pid_t daemon = box.daemon_pid();
    let_pass(700ms);
    BOOST_TEST(process_lives(daemon));
    events.kill_and_reap();
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 5s));
}

BOOST_AUTO_TEST_SUITE_END()
