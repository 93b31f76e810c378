// The keeper itself: when it starts the next daemon, when it pauses, and how it ends.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <string>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

bool another_daemon_than(sandbox& box, pid_t before) {
    return wait_until([&] { return box.daemon_pid() > 1 && box.daemon_pid() != before; });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_life)

BOOST_AUTO_TEST_CASE(K09_the_next_daemon_is_there_without_a_command) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid(), keeper = box.keeper_pid();
    BOOST_REQUIRE(keeper > 1);
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/keeper_pid").value_or("?") ==
               std::to_string(keeper));
    ::kill(daemon, SIGKILL);
    BOOST_TEST(another_daemon_than(box, daemon));
    BOOST_TEST(box.keeper_pid() == keeper);
    BOOST_TEST(wait_until([&] { return box.daemon_starts() == 2; }));
}

BOOST_AUTO_TEST_CASE(K10_a_shutdown_leaves_neither_of_them_and_frees_the_lock) {
    sandbox box;
    for (int i = 0; i < scaled(20); ++i) {
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
        if (i % 2 == 1) ::kill(box.daemon_pid(), SIGKILL);
        BOOST_TEST(box.run({"shutdown"}).status == 0);
        BOOST_TEST(box.processes_and_keepers().empty());
        BOOST_TEST(box.run({"status"}).status == 3);
    }
}

BOOST_AUTO_TEST_CASE(K11_a_crash_loop_pauses_and_what_runs_goes_on) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t service = std::atoi(unit_member(box, "s", "pid").c_str());
    crash_until_braked(box);
    BOOST_TEST(process_lives(service));
    const auto status = box.run({"status"});
    BOOST_TEST(status.status == 3, status.text());
    BOOST_TEST(status.err.find("SEGV") != std::string::npos, status.text());
    const auto ping = box.run({"ping", "--json"});
    BOOST_TEST(json_at(ping.err, "/error/code").value_or("?") == "crash_loop", ping.text());
    BOOST_TEST(ping.elapsed < 5s);
    BOOST_TEST(box.run({"daemon"}).status == 0);
    BOOST_TEST(std::atoi(unit_member(box, "s", "pid").c_str()) == service);
}

BOOST_AUTO_TEST_CASE(K12_a_shutdown_in_a_crash_loop_ends_everything) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    crash_until_braked(box);
    const auto shutdown = box.run({"shutdown"});
    BOOST_TEST(shutdown.status == 0, shutdown.text());
    BOOST_TEST(wait_until([&] { return box.processes_and_keepers().empty(); }));
    BOOST_TEST(box.run({"status"}).status == 3);
}

BOOST_AUTO_TEST_CASE(K13_a_signal_at_the_keeper_is_one_request_together_with_the_daemons_own) {
    for (const bool both : {false, true}) {
        sandbox box;
        box.config("[service.s]\nrun = \"trap 'echo bye; exit 0' TERM; while :; do sleep 0.05; done\"\n");
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        const pid_t daemon = box.daemon_pid(), keeper = box.keeper_pid();
        ::kill(keeper, SIGTERM);
        if (both) ::kill(daemon, SIGTERM);
        BOOST_TEST(wait_until([&] { return box.processes_and_keepers().empty(); }));
        BOOST_TEST(box.run({"logs", "s", "--raw"}).out.find("bye") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(K14_without_its_keeper_the_daemon_starts_another_of_both_and_brings_back_what_was_up) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n" + echo_worker());
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    for (int i = 0; i < scaled(5); ++i) {
        BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
        const pid_t daemon = box.daemon_pid(), keeper = box.keeper_pid();
        const pid_t service = std::atoi(unit_member(box, "s", "pid").c_str());
        ::kill(keeper, SIGKILL);
        BOOST_TEST(wait_until([&] { return !process_lives(service); }));
        BOOST_TEST(another_daemon_than(box, daemon));
        BOOST_TEST(box.run({"ping"}).status == 0);
        BOOST_TEST(box.keeper_pid() > 1);
        BOOST_TEST(box.keeper_pid() != keeper);
        BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }));
        BOOST_TEST(wait_until([&] { return box.processes().size() == 2u; }));
    }
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_CASE(K15_both_killed_leave_nothing_and_the_next_command_brings_back_what_was_up) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t service = std::atoi(unit_member(box, "s", "pid").c_str());
    box.kill_daemon_and_keeper();
    BOOST_TEST(wait_until([&] { return !process_lives(service); }));
    BOOST_TEST(box.run({"status"}).status == 3);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }));
}

BOOST_AUTO_TEST_CASE(K16_a_wedged_daemon_and_its_successor_are_both_ended_by_shutdown_now) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    ::kill(box.daemon_pid(), SIGSTOP);
    const auto shutdown = box.run({"shutdown", "--now"});
    BOOST_TEST(shutdown.status == 0, shutdown.text());
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_CASE(K17_in_the_foreground_the_keeper_is_the_process_that_was_started) {
    sandbox box;
    box.config("[service.s]\nrun = \"echo up; sleep 1000\"\n");
    auto foreground = box.start({"daemon", "--foreground"});
    BOOST_REQUIRE(wait_until([&] { return box.run({"ping", "--no-spawn"}).status == 0; }));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t service = std::atoi(unit_member(box, "s", "pid").c_str());
    const pid_t daemon = box.daemon_pid();
    BOOST_TEST(box.keeper_pid() == foreground.pid());
    ::kill(daemon, SIGKILL);
    BOOST_TEST(another_daemon_than(box, daemon));
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }));
    BOOST_TEST(std::atoi(unit_member(box, "s", "pid").c_str()) == service);
    foreground.signal(SIGTERM);
    const auto ended = foreground.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_CASE(K26_a_binary_that_was_replaced_by_a_broken_one_or_removed_does_not_end_what_runs) {
    for (const std::string how : {"removed", "fails", "no program", "hangs up"}) {
        sandbox box;
        const std::string binary = box.copy_binary();
        box.config("[service.s]\nrun = \"sleep 1000\"\n");
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        const pid_t service = std::atoi(unit_member(box, "s", "pid").c_str());
        const pid_t daemon = box.daemon_pid();
        BOOST_REQUIRE(::rename(binary.c_str(), (binary + ".old").c_str()) == 0);
        if (how == "fails") box.write(binary, "#!/bin/sh\nexit 1\n", 0700);
        if (how == "no program") box.write(binary, "nothing", 0700);
        if (how == "hangs up")
            box.write(binary, "#!/bin/sh\nexec sleep 0.1 3>&- 4>&- 5>&- 6>&- 7>&-\n", 0700);
        ::kill(daemon, SIGKILL);
        BOOST_TEST(another_daemon_than(box, daemon), how);
        BOOST_REQUIRE(::rename((binary + ".old").c_str(), binary.c_str()) == 0);
        BOOST_TEST(box.run({"ping"}).status == 0, how);
        BOOST_TEST(std::atoi(unit_member(box, "s", "pid").c_str()) == service, how);
    }
}

BOOST_AUTO_TEST_SUITE_END()
