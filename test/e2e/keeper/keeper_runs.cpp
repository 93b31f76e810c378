// Runs of tasks outlive the daemon: its keeper holds them until the next daemon goes on with them.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <set>
#include <string>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string member(sandbox& box, int index, const std::string& name, const std::string& task = {}) {
    std::vector<std::string> words{"runs", "--json", "-n", "all"};
    if (!task.empty()) words.push_back(task);
    return json_at(box.run(words).out, "/" + std::to_string(index) + "/" + name).value_or("?");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_runs)

BOOST_AUTO_TEST_CASE(K18_a_run_and_a_command_go_on_and_end_as_they_do) {
    sandbox box;
    box.config("[task.t]\nrun = \"echo begin; until [ -e go ]; do sleep 0.02; done; echo end; exit 7\"\n");
    BOOST_TEST(box.run({"run", "--detach", "t"}).out == "1\n");
    BOOST_TEST(
        box.run({"run", "--detach", "--", "sh", "-c", "until [ -e go ]; do sleep 0.02; done; exit 8"}).out ==
        "2\n");
    const std::string pid = unit_member(box, "t", "pid");
    for (int i = 0; i < 3; ++i) {
        kill_daemon(box);
        BOOST_TEST(unit_member(box, "t", "pid") == pid);
        BOOST_TEST(unit_member(box, "t", "state") == "running");
        BOOST_TEST(member(box, 0, "state") == "running");
        BOOST_TEST(member(box, 1, "state") == "running");
    }
    box.write("go", "");
    BOOST_TEST(box.run({"wait", "t"}).status >= 0);
    BOOST_TEST(wait_until([&] { return member(box, 1, "state") == "failed"; }));
    BOOST_TEST(wait_until([&] { return member(box, 0, "state") == "failed"; }));
    BOOST_TEST(member(box, 1, "exit") == "7");
    BOOST_TEST(member(box, 0, "exit") == "8");
    BOOST_TEST(box.run({"logs", "--run", "1", "--raw"}).out.find("begin\nend\n") != std::string::npos);
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    BOOST_TEST(member(box, 0, "id") == "3");
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1u; }));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_CASE(K19_the_end_of_a_run_that_no_daemon_saw_is_recorded_exactly) {
    sandbox box;
    box.config(
        "[task.t]\nrun = \"until [ -e go ]; do sleep 0.02; done; echo last; exit 9\"\nretry = { max = 1, "
        "delay = \"1h\" }\n");
    BOOST_TEST(box.run({"run", "--detach", "t"}).out == "1\n");
    const pid_t pid = std::atoi(unit_member(box, "t", "pid").c_str());
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGSTOP);
    box.write("go", "");
    BOOST_REQUIRE(wait_until([&] { return proc_status(pid, "State").starts_with("Z"); }));
    ::kill(daemon, SIGKILL);
    BOOST_TEST(wait_until([&] { return member(box, 0, "state") == "failed"; }));
    BOOST_TEST(member(box, 0, "exit") == "9");
    BOOST_TEST(box.run({"logs", "--run", "1", "--raw"}).out.find("last\n") != std::string::npos);
    BOOST_TEST(wait_until([&] { return !process_lives(pid); }));
}

BOOST_AUTO_TEST_CASE(K20_no_slot_of_a_timer_is_missed_and_none_runs_twice) {
    sandbox box;
    box.config("[task.t]\nrun = \"sleep 0.05\"\nevery = \"300ms\"\nkeep = 1000\n");
    BOOST_REQUIRE(box.run({"start", "t"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return member(box, 0, "state", "t") != "?"; }));
    const int rounds = scaled(25);
    for (int i = 0; i < rounds; ++i) {
        let_pass_randomly(std::chrono::milliseconds(200));
        kill_daemon(box);
    }
    BOOST_REQUIRE(box.run({"stop", "t"}).status == 0);
    const auto runs = box.run({"runs", "t", "--json", "-n", "all"}).out;
    BOOST_TEST(count(runs, "\"state\":\"lost\"") == 0u, runs);
    BOOST_TEST(count(runs, "\"state\":\"skipped\"") == 0u, runs);
    std::set<std::string> slots;
    const std::size_t all = count(runs, "\"id\":");
    for (std::size_t i = 0; i < all; ++i) {
        const auto cause = json_at(runs, "/" + std::to_string(i) + "/cause").value_or("");
        if (cause.starts_with("due "))
            BOOST_TEST(slots.insert(cause.substr(0, cause.find(';'))).second, cause);
    }
    BOOST_TEST(slots.size() > static_cast<std::size_t>(rounds) / 4);
}

BOOST_AUTO_TEST_CASE(K21_a_queued_run_and_a_retry_wait_on) {
    sandbox box;
    box.config(
        "[task.w]\nrun = \"echo $HOB_CHANGED >> seen; until [ -e go ]; do sleep 0.02; done\"\nwatch = "
        "[\"*.in\"]\n"
        "overlap = \"queue\"\n"
        "[task.r]\nrun = \"echo $HOB_TRIGGER >> tried; false\"\nevery = \"1h\"\nretry = { max = 1, delay = "
        "\"3s\" }\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "w", "state") == "scheduled"; }));
    BOOST_TEST(slurp(box.project() + "/tried").empty());
    box.write("a.in", "1");
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "w", "state") == "running"; }));
    for (int i = 0; i < 3; ++i)
        kill_daemon(box);
    BOOST_TEST(unit_member(box, "w", "state") == "running");
    BOOST_TEST(slurp(box.project() + "/seen") == "a.in\n");
    box.write("go", "");
    BOOST_TEST(wait_until([&] { return unit_member(box, "w", "state") == "scheduled"; }));
    BOOST_TEST(member(box, 0, "state", "w") == "ok");
    box.write("b.in", "1");
    BOOST_TEST(wait_until([&] { return slurp(box.project() + "/seen") == "a.in\nb.in\n"; }));
}

BOOST_AUTO_TEST_CASE(K22_a_limit_and_a_cancellation_are_kept) {
    sandbox box;
    box.config(
        "[task.slow]\nrun = \"sleep 1000\"\ntimeout = \"2s\"\n"
        "[task.stubborn]\nrun = \"trap '' TERM; while :; do sleep 0.05; done\"\nstop = { timeout = \"1s\" "
        "}\n");
    BOOST_TEST(box.run({"run", "--detach", "slow"}).out == "1\n");
    BOOST_TEST(box.run({"run", "--detach", "stubborn"}).out == "2\n");
    auto stopping = box.start({"stop", "stubborn"});
    BOOST_REQUIRE(
        wait_until([&] { return slurp(box.daemon_log()).find("run is stopped") != std::string::npos; }));
    kill_daemon(box);
    BOOST_TEST(wait_until([&] { return member(box, 0, "state") == "cancelled"; }));
    BOOST_TEST(wait_until([&] { return member(box, 1, "state") == "timeout"; }));
    stopping.wait();
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1u; }));
}

BOOST_AUTO_TEST_CASE(K23_on_start_is_of_a_start_and_not_of_the_next_daemon) {
    sandbox box;
    box.config("[task.t]\nrun = \"true\"\non_start = true\n");
    BOOST_REQUIRE(box.run({"start", "t"}).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return member(box, 0, "state") == "ok"; }));
    const std::string last = member(box, 0, "id");
    kill_daemon(box);
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    BOOST_TEST(member(box, 0, "task") == "-");
    BOOST_TEST(member(box, 1, "id") == last);
}

BOOST_AUTO_TEST_CASE(K24_killed_at_each_moment_of_a_run_its_record_is_right) {
    sandbox box;
    box.config("[task.t]\nrun = \"echo x >> ran; exit 0\"\nevery = \"100ms\"\nkeep = 100000\n");
    BOOST_REQUIRE(box.run({"start", "t"}).status == 0);
    for (int i = 0; i < scaled(60); ++i) {
        let_pass_randomly(std::chrono::milliseconds(120));
        kill_daemon(box);
    }
    BOOST_REQUIRE(box.run({"stop", "t"}).status == 0);
    const auto runs = box.run({"runs", "t", "--json", "-n", "all"}).out;
    const std::size_t ok = count(runs, "\"state\":\"ok\"");
    BOOST_TEST(count(runs, "\"state\":\"running\"") == 0u);
    BOOST_TEST(count(runs, "\"state\":\"lost\"") == 0u, runs);
    BOOST_TEST(count(runs, "\"state\":\"failed\"") == 0u, runs);
    BOOST_TEST(count(slurp(box.project() + "/ran"), "x\n") == ok);
}

BOOST_AUTO_TEST_SUITE_END()
