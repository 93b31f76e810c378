// Unusual ends of a daemon, and a machine that has run out of something when it ends.

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/resource.h>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"
#include "harness/small_disk.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

constexpr const char* one_service =
    "[service.s]\nrun = \"i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done\"\n";

std::string log_lines(sandbox& box) { return box.run({"logs", "s", "--raw", "-n", "all"}).out; }

// As they were written: none missing, none twice.
void check_lines(const std::string& lines) {
    std::string wanted;
    for (std::size_t i = 1; wanted.size() < lines.size(); ++i)
        wanted += "line " + std::to_string(i) + "\n";
    BOOST_TEST((lines == wanted));
}

bool writes_on(sandbox& box) {
    const std::size_t before = count(log_lines(box), "\n");
    return wait_until([&] { return count(log_lines(box), "\n") > before; }, 20s);
}

void limit_resource(int resource, rlim_t value) {
    const rlimit limit{value, value};
    ::setrlimit(static_cast<__rlimit_resource>(resource), &limit);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_faults)

BOOST_AUTO_TEST_CASE(K32_a_daemon_that_dumps_core_is_replaced) {
    sandbox box;
    box.config(one_service);
    run_options with_core;
    with_core.in_child = [] { limit_resource(RLIMIT_CORE, 4096); };
    BOOST_REQUIRE(box.run({"start", "s"}, with_core).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    for (const int number : {SIGABRT, SIGSEGV}) {
        kill_daemon(box, number);
        BOOST_TEST(unit_member(box, "s", "pid") == pid);
    }
    BOOST_TEST(writes_on(box));
    check_lines(log_lines(box));
}

BOOST_AUTO_TEST_CASE(K33_a_stopped_daemon_is_left_alone_and_its_successor_goes_on_when_it_is_killed) {
    sandbox box;
    box.config(one_service + std::string("[task.t]\nrun = \"echo x >> slots\"\nevery = \"500ms\"\n") +
               service("ends", "while [ ! -e go ]; do sleep 0.02; done; exit 9", "restart = \"never\""));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    const pid_t ends = std::atoi(unit_member(box, "ends", "pid").c_str());
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGSTOP);
    box.write("go", "");
    BOOST_REQUIRE(wait_until([&] { return !process_lives(ends); }));
    let_pass(std::chrono::seconds(scaled(3)));
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(process_lives(daemon));
    kill_daemon(box);
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
    BOOST_TEST(wait_until([&] { return unit_member(box, "ends", "exit") == "9"; }));
    BOOST_TEST(writes_on(box));
    check_lines(log_lines(box));
    const std::size_t slots = count(slurp(box.project() + "/slots"), "x");
    BOOST_TEST(wait_until([&] { return count(slurp(box.project() + "/slots"), "x") > slots; }));
}

BOOST_AUTO_TEST_CASE(K35_a_daemon_that_dies_while_the_disk_is_full_is_replaced) {
    if (!require_root()) return;
    sandbox box;
    small_disk disk(box.state(), 4096);
    box.config(one_service + std::string("[service.ends]\nrun = \"while [ ! -e go ]; do sleep 0.02; done; exit 9\"\n"
                                         "restart = \"never\"\n"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    disk.fill();
    for (int i = 0; i < 3; ++i) {
        kill_daemon(box);
        BOOST_TEST(unit_member(box, "s", "pid") == pid);
        BOOST_TEST(unit_member(box, "s", "state") == "ready");
    }
    box.write("go", "");
    BOOST_TEST(wait_until([&] { return unit_member(box, "ends", "exit") == "9"; }));
    disk.free();
    BOOST_TEST(writes_on(box));
    kill_daemon(box);
    BOOST_TEST(unit_member(box, "s", "pid") == pid);
    BOOST_TEST(unit_member(box, "ends", "state") == "failed");
    BOOST_TEST(box.run({"stop"}).status == 0);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(K36_a_daemon_that_dies_when_it_can_open_no_more_files_is_replaced) {
    sandbox box;
    std::string text = one_service;
    for (int i = 0; i < 40; ++i)
        text += "[service.more" + std::to_string(i) + "]\nrun = \"exec sleep 1000\"\nrestart = \"never\"\n";
    box.config(text);
    run_options limited;
    limited.in_child = [] { limit_resource(RLIMIT_NOFILE, 96); };
    BOOST_REQUIRE(box.run({"start", "s"}, limited).status == 0);
    const std::string pid = unit_member(box, "s", "pid");
    const pid_t keeper = box.keeper_pid();
    // Some of them cannot start, and say why.
    const auto started = box.run({"start"});
    BOOST_TEST(started.status == 1, started.text());
    BOOST_TEST(started.err.find("open files") != std::string::npos, started.text());
    const auto running = [&] { return count(box.run({"status", "--json"}).out, "\"state\":\"ready\""); };
    const std::size_t before = running();
    BOOST_TEST(before > 5u);
    for (int i = 0; i < 3; ++i) {
        kill_daemon(box);
        BOOST_TEST(box.keeper_pid() == keeper);
        BOOST_TEST(unit_member(box, "s", "pid") == pid);
        BOOST_TEST(running() == before);
    }
    BOOST_TEST(writes_on(box));
    BOOST_TEST(box.run({"stop"}).status == 0);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(K37_a_keeper_of_another_version_goes_on_with_the_binary_that_it_came_from) {
    for (const bool newer : {true, false}) {
        sandbox box;
        const std::string binary = newer ? box.copy_binary() : box.copy_binary(HOB_OTHER_KEEPER_BINARY);
        box.config(one_service);
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        const std::string pid = unit_member(box, "s", "pid");
        const std::string version = value_at(box.run({"status", "--json"}).out, "/daemon/version");
        const pid_t keeper = box.keeper_pid();
        std::filesystem::rename(binary, binary + ".old");
        std::filesystem::copy_file(newer ? HOB_OTHER_KEEPER_BINARY : HOB_BINARY, binary);
        for (int i = 0; i < 3; ++i) {
            kill_daemon(box);
            BOOST_TEST(box.keeper_pid() == keeper);
            BOOST_TEST(unit_member(box, "s", "pid") == pid);
        }
        const auto status = box.run({"status", "--json"}).out;
        BOOST_TEST(value_at(status, "/daemon/version") == version, status);
        BOOST_TEST(slurp(box.daemon_log()).find("its keeper is of another version") != std::string::npos);
        BOOST_TEST(writes_on(box));
        check_lines(log_lines(box));
        // An orderly end ends the keeper, too.
        BOOST_TEST(box.run({"shutdown"}).status == 0);
        BOOST_TEST(box.run({"start", "s"}).status == 0);
        BOOST_TEST(value_at(box.run({"status", "--json"}).out, "/daemon/version") != version);
    }
}

BOOST_AUTO_TEST_CASE(K38_whichever_of_keeper_and_daemon_is_killed_what_was_up_is_up_again_once) {
    sandbox box;
    box.config("[service.one]\nrun = \"exec sleep 1000\"\n[service.two]\nrun = \"exec sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const int rounds = number_from_env("HOB_KEEPER_ROUNDS", scaled(12));
    for (int i = 0; i < rounds; ++i) {
        const pid_t daemon = box.daemon_pid(), keeper = box.keeper_pid();
        BOOST_REQUIRE(daemon > 1);
        BOOST_REQUIRE(keeper > 1);
        if (i % 3 != 0) ::kill(keeper, SIGKILL);
        if (i % 4 == 1) let_pass_randomly(std::chrono::milliseconds(20));
        if (i % 3 != 1) ::kill(daemon, SIGKILL);
        BOOST_REQUIRE(wait_until([&] { return !process_lives(i % 3 != 1 ? daemon : keeper); }));
        BOOST_TEST_CONTEXT("round " << i) {
            BOOST_REQUIRE(wait_until([&] { return box.run({"start"}).status == 0; }, 30s));
            BOOST_TEST(wait_until([&] { return box.processes().size() == 3u; }));
        }
    }
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.processes_and_keepers().empty());
}

BOOST_AUTO_TEST_SUITE_END()
