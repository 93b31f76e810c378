// The daemon is killed while something begins or ends: nothing of it is lost, and nothing happens twice.

#include <sys/stat.h>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <string>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/fault_shim.hpp"
#include "harness/sandbox.hpp"
#include "util/proc.hpp"

using namespace hob::test;

namespace {

constexpr int does_not_return = 0;  // as errno of fault_shim

// Sends each of its arguments as one message to its notify socket, and waits.
constexpr const char* notifier = R"py(
import os, socket, sys, time
to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
to.connect("\0" + os.environ["NOTIFY_SOCKET"][1:])
for text in sys.argv[1:]:
    to.send(text.encode())
time.sleep(1000)
)py";

// The daemon, also one that is not ready yet: the keeper's child of this name.
pid_t daemon_of(pid_t keeper) {
    for (const auto& process : hob::util::all_processes()) {
        if (process.ppid == keeper && process.comm == "hob" && !hob::util::has_ended(process))
            return process.pid;
    }
    return 0;
}

// Kills the daemon, and the next one before it is ready or soon after. Three that were not ready would make a
// crash loop.
void kill_while_it_takes_over(sandbox& box, pid_t keeper) {
    for (int i = 0; i < 2; ++i) {
        pid_t daemon = 0;
        BOOST_REQUIRE(wait_until([&] { return (daemon = daemon_of(keeper)) > 0; }));
        ::kill(daemon, SIGKILL);
        BOOST_REQUIRE(wait_until([&] { return daemon_of(keeper) != daemon; }));
        let_pass_randomly(std::chrono::milliseconds(20));
    }
    BOOST_REQUIRE(box.run({"daemon"}).status == 0);
}

// One sandbox has two rounds, so that there are at most two such daemons in a row.
void start_and_stop_meanwhile() {
    sandbox box;
    box.config(
        "[service.stays]\nrun = \"exec sleep 1000\"\n"
        "[service.again]\nrun = \"echo x >> lives; exit 7\"\nbackoff = { min = \"1ms\", max = \"20ms\" }\n"
        "keep = 100000\n"
        "[service.asked]\nrun = \"exec sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "stays"}).status == 0);
    const std::string stays = unit_member(box, "stays", "pid");
    const pid_t keeper = box.keeper_pid();
    box.run({"start", "again"});
    for (const char* verb : {"start", "stop"}) {
        auto change = box.start({verb, "asked"});
        let_pass_randomly(std::chrono::milliseconds(30));
        kill_while_it_takes_over(box, keeper);
        const auto changed = change.wait();
        BOOST_TEST(changed.status == 0, verb << " " << changed.text());
        BOOST_TEST(unit_member(box, "asked", "state") ==
                   (verb == std::string("start") ? "ready" : "stopped"));
        BOOST_TEST(unit_member(box, "stays", "pid") == stays, verb);
    }
    BOOST_TEST(box.keeper_pid() == keeper);
    BOOST_TEST(box.run({"stop"}).status == 0);
    const auto lives = box.run({"runs", "again", "--json", "-n", "all"}).out;
    BOOST_TEST(count(lives, "\"state\":\"running\"") == 0u);
    BOOST_TEST(count(lives, "\"state\":\"lost\"") == 0u, lives);
    BOOST_TEST(box.processes().size() == 1u);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_launch)

BOOST_AUTO_TEST_CASE(K27_a_recorded_run_without_a_process_is_started_by_the_next_daemon_as_it_was_asked_for) {
    sandbox box;
    fault_shim shim(box);
    BOOST_REQUIRE(box.run({"ping"}, shim.options()).status == 0);
    BOOST_REQUIRE(::mkdir((box.project() + "/below").c_str(), 0700) == 0);
    // The record of the run never gets to the disk, so that its process is never made.
    shim.fail(FAULT_DAEMON, FAULT_FSYNC, 1, does_not_return);
    run_options asks = shim.options();
    asks.cwd = box.project() + "/below";
    asks.env.emplace_back("WORD", "a \xff word");
    asks.input = "from its client\n";
    asks.in_child = [] { ::umask(027); };
    auto run =
        box.start({"run", "--", "sh", "-c", "echo x >> ran; pwd; echo $WORD; umask; cat; exit 3"}, asks);
    BOOST_REQUIRE(wait_until([&] { return shim.fired(); }));
    BOOST_TEST(value_at(box.run({"runs", "--json"}).out, "/0/state") == "running");
    BOOST_TEST(!exists(box.project() + "/below/ran"));
    kill_daemon(box);
    const auto done = run.wait();
    BOOST_TEST(done.out == box.project() + "/below\na \xff word\n0027\nfrom its client\n", done.text());
    BOOST_TEST(done.status == 3, done.text());
    BOOST_TEST(slurp(box.project() + "/below/ran") == "x\n");
    const auto runs = box.run({"runs", "--json", "-n", "all"}).out;
    BOOST_TEST(count(runs, "\"id\":") == 1u, runs);
    BOOST_TEST(value_at(runs, "/0/exit") == "3", runs);
}

BOOST_AUTO_TEST_CASE(
    K28_a_detached_run_of_a_task_without_a_process_too_and_one_whose_client_is_gone_is_cancelled) {
    sandbox box;
    box.config("[task.t]\nrun = \"echo x >> ran; echo $FIRST $1\"\n");
    fault_shim shim(box);
    BOOST_REQUIRE(box.run({"ping"}, shim.options()).status == 0);
    BOOST_REQUIRE(box.run({"start", "t"}).status == 0);
    shim.fail(FAULT_DAEMON, FAULT_FSYNC, 1, does_not_return);
    run_options asks;
    asks.env.emplace_back("FIRST", "first");
    auto on_its_own = box.start({"run", "-d", "t"}, asks);
    BOOST_REQUIRE(wait_until([&] { return shim.fired(); }));
    kill_daemon(box);
    BOOST_TEST(on_its_own.wait().out == "1\n");
    BOOST_TEST(box.run({"wait", "--run", "1"}).status == 0);
    BOOST_TEST(box.run({"logs", "--run", "1", "--raw"}).out == "first\n");
    BOOST_TEST(slurp(box.project() + "/ran") == "x\n");
    BOOST_TEST(count(box.run({"runs", "--json", "-n", "all"}).out, "\"id\":") == 1u);
    box.write("hob.toml", "[task.t]\nrun = \"exec sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    shim.fail(FAULT_DAEMON, FAULT_FSYNC, 1, does_not_return);
    auto followed = box.start({"run", "t"});
    BOOST_REQUIRE(wait_until([&] { return shim.fired(); }));
    followed.kill_and_reap();
    kill_daemon(box);
    BOOST_TEST(wait_until(
        [&] {
            return value_at(box.run({"runs", "--json"}).out, "/0/state") == "cancelled";
        },
        30s));
    BOOST_TEST(wait_until([&] { return box.processes().size() == 1u; }));
}

BOOST_AUTO_TEST_CASE(K29_no_message_of_sd_notify_is_lost_whenever_the_daemon_dies) {
    if (!require_program("python3")) return;
    constexpr int services = 8;
    sandbox box;
    box.write("notifier.py", notifier);
    std::string text;
    for (int i = 0; i < services; ++i)
        text += "[service.s" + std::to_string(i) +
                "]\nrun = [\"python3\", \"notifier.py\", \"STATUS=begun\", \"READY=1\", \"STATUS=serves\"]\n"
                "ready = { notify = true, timeout = \"60s\" }\n";
    box.config(text);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    for (int round = 0; round < scaled(10); ++round) {
        auto start = box.start({"start"});
        for (int i = 0; i < 4; ++i) {
            let_pass_randomly(std::chrono::milliseconds(150));
            kill_daemon(box);
        }
        const auto started = start.wait(60s);
        BOOST_TEST(started.status == 0, started.text());
        for (int i = 0; i < services; ++i) {
            const std::string name = "s" + std::to_string(i);
            BOOST_TEST(wait_until([&] { return unit_member(box, name, "detail") == "serves"; }),
                       name << ": " << box.run({"status", name, "--json"}).out);
        }
        BOOST_REQUIRE(box.run({"stop"}).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(K30_killed_at_each_moment_of_a_launch_an_exit_and_while_it_takes_over_nothing_is_lost) {
    for (int i = 0; i < scaled(8); ++i)
        start_and_stop_meanwhile();
}

BOOST_AUTO_TEST_SUITE_END()
