// After kill -9 at any moment the next command works, and nothing of the killed daemon is left.

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

background start_calling(sandbox& box) {
    run_options shell;
    shell.program = "/bin/bash";
    // A call that was in flight when the daemon was killed may fail; the next one must not hang.
    return box.start(
        {"-c", "while [ ! -e '" + box.root() +
                   "/stop' ]; do timeout 20 hob call echo echo '{\"a\":1}' >/dev/null 2>&1; [ $? != 124 ] || "
                   "exit 1; done"},
        shell);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recovery_kill)

BOOST_AUTO_TEST_CASE(D03_killed_at_a_hundred_random_moments_under_four_clients_every_next_command_works) {
    sandbox box;
    box.config(echo_worker());
    BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
    std::vector<background> clients;
    for (int i = 0; i < 4; ++i)
        clients.push_back(start_calling(box));
    const int rounds = scaled(100);
    for (int i = 0; i < rounds; ++i) {
        const auto ping = box.run({"ping", "--json"});
        BOOST_TEST(ping.status == 0, i << ": " << ping.text());
        const pid_t daemon = std::atoi(json_at(ping.out, "/pid").value_or("0").c_str());
        BOOST_REQUIRE(daemon > 1);
        let_pass_randomly(30ms);
        ::kill(daemon, SIGKILL);
        const auto next = i % 2 == 0 ? box.run({"call", "echo", "echo", "[1]"}) : box.run({"ping"});
        BOOST_TEST(next.status == 0, i << ": " << next.text());
    }
    box.write(box.root() + "/stop", "");
    for (auto& client : clients)
        BOOST_TEST(client.wait().status == 0);
    BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
    // One daemon and one worker: the earlier ones are gone.
    BOOST_TEST(wait_until([&] { return box.processes().size() == 2; }));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_CASE(D03_the_worker_dies_with_its_daemon) {
    sandbox box;
    box.config(echo_worker());
    const auto call = box.run({"call", "echo", "pid"});
    BOOST_REQUIRE(call.status == 0);
    const pid_t worker = std::atoi(call.out.c_str());
    ::kill(box.daemon_pid(), SIGKILL);
    BOOST_TEST(wait_until([&] { return !process_lives(worker); }, 5s));
    BOOST_TEST(box.run({"call", "echo", "echo", "1"}).out == "1\n");
}

BOOST_AUTO_TEST_CASE(D02_what_escaped_a_killed_daemon_is_ended_before_the_next_is_ready) {
    sandbox box;
    box.config(echo_worker());
    const auto call = box.run({"call", "echo", "escape"});
    BOOST_REQUIRE_MESSAGE(call.status == 0, call.text());
    const pid_t escaped = std::atoi(call.out.c_str());
    BOOST_REQUIRE(escaped > 1);
    box.kill_daemon_and_keeper();
    BOOST_TEST(process_lives(escaped));
    const auto next = box.run({"ping"});
    BOOST_TEST(next.status == 0, next.text());
    BOOST_TEST(!process_lives(escaped));
    BOOST_TEST(next.elapsed < 3s);
}

BOOST_AUTO_TEST_CASE(D02_stop_and_shutdown_end_what_escaped_where_kill_is_all) {
    sandbox box;
    box.config(echo_worker("echo", "stop = { timeout = \"300ms\" }"));
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"stop", "echo"}, {"shutdown"}, {"shutdown", "--now"}}) {
        const auto call = box.run({"call", "echo", "escape"});
        BOOST_REQUIRE_MESSAGE(call.status == 0, call.text());
        const pid_t escaped = std::atoi(call.out.c_str());
        BOOST_TEST(process_lives(escaped));
        const auto result = box.run(how);
        BOOST_TEST(result.status == 0, result.text());
        BOOST_TEST(wait_until([&] { return !process_lives(escaped); }, 5s), how.back());
        box.run({"start", "echo"});
    }
}

BOOST_AUTO_TEST_CASE(D02_what_kill_spares_is_spared_by_stop_and_by_the_sweep) {
    sandbox box;
    box.expect_leftovers();
    box.config(echo_worker("echo", "kill = \"group\"\nstop = { timeout = \"300ms\" }"));
    const pid_t escaped = std::atoi(box.run({"call", "echo", "escape"}).out.c_str());
    BOOST_REQUIRE(escaped > 1);
    BOOST_TEST(box.run({"restart", "echo"}).status == 0);
    BOOST_TEST(process_lives(escaped));
    ::kill(box.daemon_pid(), SIGKILL);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(process_lives(escaped));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(process_lives(escaped));
}

BOOST_AUTO_TEST_CASE(D08_killed_while_it_recovers_from_a_kill) {
    sandbox box;
    box.config(echo_worker());
    for (int i = 0; i < scaled(20); ++i) {
        const auto call = box.run({"call", "echo", "escape"});
        BOOST_REQUIRE_MESSAGE(call.status == 0, i << ": " << call.text());
        ::kill(box.daemon_pid(), SIGKILL);
        auto recovering = box.start({"ping"});
        let_pass_randomly(20ms);
        if (const pid_t second = box.daemon_pid()) ::kill(second, SIGKILL);
        recovering.wait();
        // A killed start counts for the crash-loop brake, which does not hold for `hob daemon`.
        BOOST_TEST(box.run({"daemon"}).status == 0);
        const auto next = box.run({"ping"});
        BOOST_TEST(next.status == 0, i << ": " << next.text());
    }
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }));
}

BOOST_AUTO_TEST_CASE(D06_a_corrupt_database_is_set_aside_and_never_stops_a_start) {
    for (const std::string how : {"garbage", "truncated", "empty"}) {
        sandbox box;
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
        BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
        const std::string db = box.state_dir() + "/hob.db";
        const std::string before = slurp(db);
        BOOST_REQUIRE(!before.empty());
        box.write(db, how == "garbage"     ? std::string(8192, 'x')
                      : how == "truncated" ? before.substr(0, before.size() / 2 + 7)
                                           : "");
        const auto ping = box.run({"ping"});
        BOOST_TEST(ping.status == 0, how << ": " << ping.text());
        const auto set_aside = box.shell("ls '" + box.state_dir() + "'").out;
        if (how == "garbage") BOOST_TEST(set_aside.find("hob.db.corrupt-") != std::string::npos, set_aside);
        if (how == "garbage") BOOST_TEST(slurp(box.daemon_log()).find("corrupt") != std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
