// A service outlives the daemon: its keeper holds it until the next daemon goes on with it.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <string>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

pid_t pid_of(sandbox& box, const std::string& unit) {
    return std::atoi(unit_member(box, unit, "pid").c_str());
}

std::size_t lines_in(const std::string& text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_services)

BOOST_AUTO_TEST_CASE(K01_a_service_keeps_its_process_its_state_and_its_record_over_many_deaths) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\nautostart = true\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t pid = pid_of(box, "s");
    const std::string since = unit_member(box, "s", "since");
    const std::string lives = box.run({"runs", "s", "--json"}).out;
    for (int i = 0; i < scaled(30); ++i) {
        kill_daemon(box);
        BOOST_TEST(pid_of(box, "s") == pid);
        BOOST_TEST(unit_member(box, "s", "state") == "ready");
        BOOST_TEST(unit_member(box, "s", "since") == since);
        BOOST_TEST(unit_member(box, "s", "restarts") == "0");
    }
    BOOST_TEST(json_at(box.run({"runs", "s", "--json"}).out, "/0/id").value_or("?") ==
               json_at(lives, "/0/id").value_or("?"));
    BOOST_TEST(json_at(box.run({"runs", "s", "--json"}).out, "/0/state").value_or("?") == "running");
    BOOST_TEST(process_lives(pid));
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(!process_lives(pid));
    BOOST_TEST(json_at(box.run({"runs", "s", "--json"}).out, "/0/state").value_or("?") == "stopped");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_CASE(K02_an_exit_that_no_daemon_saw_is_told_exactly) {
    sandbox box;
    box.config(
        "[service.s]\nrun = [\"sh\", \"-c\", \"while [ ! -e go ]; do sleep 0.01; done; exit 42\"]\nrestart = "
        "\"never\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t pid = pid_of(box, "s");
    // A stopped daemon sees nothing, and is then killed.
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGSTOP);
    box.write("go", "");
    BOOST_REQUIRE(wait_until([&] { return proc_status(pid, "State").starts_with("Z"); }));
    ::kill(daemon, SIGKILL);
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "s", "exit") == "42");
    BOOST_TEST(json_at(box.run({"runs", "s", "--json"}).out, "/0/exit").value_or("?") == "42");
    BOOST_TEST(wait_until([&] { return !process_lives(pid); }));
}

BOOST_AUTO_TEST_CASE(K03_restarts_back_off_and_a_failure_for_good_are_kept) {
    sandbox box;
    box.config(
        "[service.again]\nrun = \"exit 3\"\nbackoff = { min = \"20s\" }\n"
        "[service.never]\nrun = \"exit 4\"\nrestart = \"never\"\n");
    BOOST_TEST(box.run({"start", "again", "never"}).status == 1);
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "again", "state") == "backoff"; }));
    kill_daemon(box);
    BOOST_TEST(unit_member(box, "again", "state") == "backoff");
    BOOST_TEST(unit_member(box, "again", "exit") == "3");
    BOOST_TEST(unit_member(box, "never", "state") == "failed");
    BOOST_TEST(unit_member(box, "never", "exit") == "4");
}

BOOST_AUTO_TEST_CASE(K04_output_terminal_and_open_input_go_on) {
    sandbox box;
    box.config(
        "[service.out]\nrun = \"i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done\"\n"
        "[service.in]\nrun = \"cat > got\"\nstdin = \"open\"\n"
        "[service.tty]\nrun = \"stty -echo; while read -r x; do echo got $x $(tty >&2 && echo tty); "
        "done\"\ntty = true\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const pid_t in = pid_of(box, "in"), tty = pid_of(box, "tty"), out = pid_of(box, "out");
    kill_daemon(box);
    BOOST_TEST(pid_of(box, "in") == in);
    BOOST_TEST(pid_of(box, "tty") == tty);
    BOOST_TEST(pid_of(box, "out") == out);
    const std::size_t before = lines_in(box.run({"logs", "out", "--raw", "-n", "100000"}).out);
    BOOST_TEST(wait_until([&] {
        return lines_in(box.run({"logs", "out", "--raw", "-n", "100000"}).out) > before + 5;
    }));
    run_options typed;
    typed.input = "one\n";
    BOOST_TEST(box.run({"--timeout", "2s", "attach", "tty"}, typed).status >= 0);
    BOOST_TEST(wait_until([&] {
        return box.run({"logs", "tty", "--raw"}).out.find("got one") != std::string::npos;
    }));
    BOOST_TEST(process_lives(in));
}

BOOST_AUTO_TEST_CASE(K05_a_broken_hob_toml_does_not_keep_the_next_daemon_from_going_on) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t pid = pid_of(box, "s");
    box.config("[service.s\nrun = ");
    kill_daemon(box);
    BOOST_TEST(pid_of(box, "s") == pid);
    const auto status = box.run({"status", "--json"});
    BOOST_TEST(json_at(status.out, "/daemon/config_state").value_or("?") == "broken", status.text());
    box.config("[service.s]\nrun = \"sleep 1001\"\n");
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/config_state").value_or("?") == "changed");
    BOOST_TEST(box.run({"reload"}).status == 0);
    BOOST_TEST(
        wait_until([&] { return pid_of(box, "s") != pid && unit_member(box, "s", "state") == "ready"; }));
}

BOOST_AUTO_TEST_CASE(K06_a_start_and_a_stop_that_a_death_interrupts_go_on) {
    sandbox box;
    box.config(
        "[service.slow]\nrun = \"sleep 1000\"\nready = { exec = \"test -e ready\", timeout = \"30s\" }\n"
        "[service.stubborn]\nrun = \"trap '' TERM; while :; do sleep 0.05; done\"\nstop = { timeout = \"1s\" "
        "}\n");
    auto starting = box.start({"start", "slow"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "slow", "state") == "starting"; }));
    const pid_t slow = pid_of(box, "slow");
    BOOST_REQUIRE(box.run({"start", "stubborn"}).status == 0);
    const pid_t stubborn = pid_of(box, "stubborn");
    auto stopping = box.start({"stop", "stubborn"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "stubborn", "state") == "stopping"; }));
    kill_daemon(box);
    BOOST_TEST(pid_of(box, "slow") == slow);
    BOOST_TEST(unit_member(box, "slow", "state") == "starting");
    box.write("ready", "");
    BOOST_TEST(wait_until([&] { return unit_member(box, "slow", "state") == "ready"; }));
    BOOST_TEST(wait_until([&] { return unit_member(box, "stubborn", "state") == "stopped"; }));
    BOOST_TEST(!process_lives(stubborn));
    starting.wait();
    stopping.wait();
}

BOOST_AUTO_TEST_CASE(K07_what_a_service_leaves_behind_is_ended_by_the_next_daemon_too) {
    sandbox box;
    box.config("[service.s]\nrun = \"setsid sleep 1001 & sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    kill_daemon(box);
    BOOST_TEST(box.processes().size() == 4u);
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1u; }));
}

BOOST_AUTO_TEST_CASE(K08_a_hundred_services_go_on_and_clients_that_connect_meanwhile_wait) {
    sandbox box;
    std::string text;
    const int count = scaled(100);
    for (int i = 0; i < count; ++i)
        text += "[service.s" + std::to_string(i) + "]\nrun = \"exec sleep 1000\"\n";
    box.config(text);
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const auto before = box.run({"status", "--json"});
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGKILL);
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(box.run({"status", "--json"}).status == 0);
    const auto after = box.run({"status", "--json"});
    for (int i = 0; i < count; ++i) {
        const std::string at = "/units/" + std::to_string(i) + "/pid";
        BOOST_TEST(json_at(before.out, at).value_or("?") == json_at(after.out, at).value_or("?"));
    }
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_SUITE_END()
