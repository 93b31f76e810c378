// What commands do when the daemon dies under them: they go on with the next one.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// Ready once the file `ready` is there; each start of it is a line in `starts`.
constexpr const char* slow =
    "[service.s]\nrun = \"echo x >> starts; exec sleep 1000\"\n"
    "ready = { exec = \"test -e ready\", timeout = \"60s\" }\n";
// Ends once the file `go` is there.
constexpr const char* stubborn =
    "[service.s]\nrun = \"trap 'while [ ! -e go ]; do sleep 0.02; done; exit 0' TERM; while :; do sleep "
    "0.02; "
    "done\"\nstop = { timeout = \"60s\" }\n";

bool becomes(sandbox& box, const std::string& state) {
    return wait_until([&] { return unit_member(box, "s", "state") == state; });
}

std::string next_line(background& command) { return command.read_line(20s).value_or("<end of file>"); }

// The next line that has `text`.
std::string line_with(background& command, const std::string& text) {
    for (;;) {
        const std::string line = next_line(command);
        if (line.find(text) != std::string::npos || line == "<end of file>") return line;
    }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_clients)

BOOST_AUTO_TEST_CASE(K60_start_wait_and_up_detached_wait_on_over_deaths) {
    sandbox box;
    box.config(slow);
    std::vector<background> waiting;
    waiting.push_back(box.start({"start", "s"}));
    BOOST_REQUIRE(becomes(box, "starting"));
    waiting.push_back(box.start({"wait", "s", "--json"}));
    waiting.push_back(box.start({"up", "-d"}));
    waiting.push_back(box.start({"--timeout", "30s", "start"}));
    for (const int number : {SIGKILL, SIGSEGV, SIGKILL, SIGKILL}) {
        BOOST_REQUIRE(has_clients(box, 4));
        kill_daemon(box, number);
    }
    BOOST_REQUIRE(has_clients(box, 4));
    box.write("ready", "");
    for (auto& each : waiting) {
        const auto done = each.wait();
        BOOST_TEST(done.status == 0, done.text());
        BOOST_TEST(done.err == "", done.err);
        BOOST_TEST(done.out.find("ready") != std::string::npos, done.text());
    }
    BOOST_TEST(slurp(box.project() + "/starts") == "x\n");
}

BOOST_AUTO_TEST_CASE(K61_the_deadline_of_a_command_is_that_of_all_daemons_together) {
    sandbox box;
    box.config(slow);
    auto start = box.start({"--timeout", "3s", "start", "s"});
    BOOST_REQUIRE(becomes(box, "starting"));
    kill_daemon(box);
    kill_daemon(box);
    const auto late = start.wait();
    BOOST_TEST(late.status == 4, late.text());
    BOOST_TEST(late.elapsed >= 2900ms);
    BOOST_TEST(late.elapsed < 10s);
}

BOOST_AUTO_TEST_CASE(K62_a_stop_waits_on_over_deaths) {
    sandbox box;
    box.config(stubborn);
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t service = std::atoi(unit_member(box, "s", "pid").c_str());
    auto stop = box.start({"stop", "s"});
    for (const int number : {SIGKILL, SIGSEGV, SIGKILL}) {
        BOOST_REQUIRE(becomes(box, "stopping"));
        BOOST_REQUIRE(has_clients(box, 1));
        kill_daemon(box, number);
    }
    box.write("go", "");
    const auto done = stop.wait();
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.err == "", done.err);
    BOOST_TEST(!process_lives(service));
    BOOST_TEST(unit_member(box, "s", "state") == "stopped");
}

BOOST_AUTO_TEST_CASE(K63_a_restart_is_not_done_twice) {
    sandbox box;
    box.config(slow);
    box.write("ready", "");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const std::string before = unit_member(box, "s", "pid");
    box.shell("rm ready");
    auto restart = box.start({"restart", "s"});
    BOOST_REQUIRE(becomes(box, "starting"));
    const std::string after = unit_member(box, "s", "pid");
    BOOST_TEST(after != before);
    kill_daemon(box);
    BOOST_REQUIRE(has_clients(box, 1));
    kill_daemon(box);
    box.write("ready", "");
    const auto done = restart.wait();
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.err == "", done.err);
    BOOST_TEST(unit_member(box, "s", "pid") == after);
    BOOST_TEST(slurp(box.project() + "/starts") == "x\nx\n");
}

BOOST_AUTO_TEST_CASE(K63_a_restart_whose_stop_a_death_interrupts_starts_once) {
    sandbox box;
    box.config(
        std::string("[service.s]\nrun = \"echo x >> starts; trap 'while [ ! -e go ]; do sleep 0.02; done; "
                    "exit 0' TERM; while :; do sleep 0.02; done\"\nstop = { timeout = \"60s\" }\n"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const std::string before = unit_member(box, "s", "pid");
    auto restart = box.start({"restart", "s"});
    BOOST_REQUIRE(becomes(box, "stopping"));
    kill_daemon(box);
    BOOST_REQUIRE(has_clients(box, 1));
    box.write("go", "");
    const auto done = restart.wait();
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
    BOOST_TEST(unit_member(box, "s", "pid") != before);
    BOOST_TEST(slurp(box.project() + "/starts") == "x\nx\n");
}

BOOST_AUTO_TEST_CASE(K64_a_reload_waits_on_and_does_not_say_that_nothing_changed) {
    for (const bool json : {false, true}) {
        sandbox box;
        box.config(slow);
        box.write("ready", "");
        BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
        box.shell("rm ready");
        box.config(std::string(slow) + "env = { A = \"1\" }\n");
        auto reload = box.start({"reload", json ? "--json" : "--verbose"});
        BOOST_REQUIRE(becomes(box, "starting"));
        kill_daemon(box);
        BOOST_REQUIRE(has_clients(box, 1));
        box.write("ready", "");
        const auto done = reload.wait();
        BOOST_TEST(done.status == 0, done.text());
        if (json) {
            BOOST_TEST(value_at(done.out, "/again") == "true", done.text());
        } else {
            BOOST_TEST(done.out.find("what it changed is not known") != std::string::npos, done.text());
        }
        BOOST_TEST(unit_member(box, "s", "state") == "ready");
        BOOST_TEST(box.run({"reload"}).out == "nothing changed\n");
    }
}

BOOST_AUTO_TEST_CASE(K65_events_go_on_after_a_snapshot) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n[task.t]\nrun = \"true\"\nevery = \"200ms\"\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const std::string service = unit_member(box, "s", "pid");
    auto events = box.start({"events"});
    line_with(events, "run.state");  // it has subscribed
    for (const int number : {SIGKILL, SIGSEGV, SIGKILL}) {
        kill_daemon(box, number);
        const std::string resync = line_with(events, "hob.resync");
        BOOST_TEST(value_at(resync, "/event") == "hob.resync", resync);
        BOOST_TEST(value_at(resync, "/status/daemon/pid") == std::to_string(box.daemon_pid()), resync);
        BOOST_TEST(value_at(resync, "/status/units/0/name") == "s", resync);
        BOOST_TEST(value_at(resync, "/status/units/0/state") == "ready", resync);
        BOOST_TEST(value_at(resync, "/status/units/0/pid") == service, resync);
    }
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(value_at(line_with(events, "\"stopping\""), "/unit") == "s");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(value_at(line_with(events, "daemon.ended"), "/event") == "daemon.ended");
    const auto done = events.wait();
    BOOST_TEST(done.status == 0);
    BOOST_TEST(done.err == "", done.err);
}

BOOST_AUTO_TEST_CASE(K66_status_watch_goes_on) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    auto watch = box.start({"status", "--watch", "--json"});
    BOOST_TEST(value_at(next_line(watch), "/units/0/state") == "ready");
    for (const int number : {SIGKILL, SIGSEGV, SIGKILL}) {
        kill_daemon(box, number);
        BOOST_TEST(!line_with(watch, "\"pid\":" + std::to_string(box.daemon_pid()) + ",").starts_with("<"));
    }
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    BOOST_TEST(!line_with(watch, "\"state\":\"stopped\"").starts_with("<"));
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const auto done = watch.wait();
    BOOST_TEST(done.status == 0);
    BOOST_TEST(done.err == "", done.err);
}

BOOST_AUTO_TEST_CASE(K67_logs_follow_shows_each_line_of_the_log_once) {
    sandbox box;
    box.config("[service.s]\nrun = \"i=0; while :; do i=$((i+1)); echo line $i; sleep 0.003; done\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    auto logs = box.start({"logs", "s", "-f", "--raw", "-n", "all"});
    BOOST_TEST(next_line(logs) == "line 1");
    for (int i = 0; i < 6; ++i) {
        let_pass_randomly(60ms);
        kill_daemon(box, i == 2 ? SIGSEGV : SIGKILL);
    }
    BOOST_TEST(box.run({"stop", "s"}).status == 0);
    const std::string whole = box.run({"logs", "s", "--raw", "-n", "all"}).out;
    BOOST_REQUIRE(whole.size() > 20u);
    std::string shown = "line 1\n";
    while (shown.size() < whole.size())
        shown += next_line(logs) + "\n";
    BOOST_TEST(shown == whole);
    logs.signal(SIGINT);
    BOOST_TEST(logs.wait().err == "");
}

BOOST_AUTO_TEST_CASE(K68_call_and_attach_end_with_daemon_lost_and_can_be_repeated) {
    sandbox box;
    box.config(
        "[worker.w]\nrun = [\"sh\", \"-c\", \"while read -r x; do if [ $x = wait ]; then sleep 1000; fi; "
        "echo "
        "$x; done\"]\nprotocol = \"lines\"\n[service.tty]\nrun = \"cat\"\nstdin = \"open\"\n");
    BOOST_REQUIRE(box.run({"start", "tty"}).status == 0);
    BOOST_REQUIRE(box.run({"call", "w", "x"}).status == 0);
    auto call = box.start({"call", "w", "wait", "--json"});
    run_options typing;
    typing.keep_stdin = true;
    auto attach = box.start({"attach", "tty"}, typing);
    attach.write_line("hello");
    BOOST_TEST(next_line(attach) == "hello");
    BOOST_REQUIRE(has_clients(box, 2));
    kill_daemon(box);
    const auto lost = call.wait(), left = attach.wait();
    BOOST_TEST(lost.status == 3, lost.text());
    BOOST_TEST(value_at(lost.err, "/error/code") == "daemon_lost", lost.text());
    BOOST_TEST(value_at(lost.err, "/error/hint").find("repeat") != std::string::npos, lost.text());
    BOOST_TEST(left.status == 3, left.text());
    BOOST_TEST(left.err.find("hob attach tty attaches again") != std::string::npos, left.text());
    BOOST_TEST(box.run({"call", "w", "y"}).out == "\"y\"\n");
}

BOOST_AUTO_TEST_CASE(K69_up_goes_on_and_still_stops_what_it_started) {
    sandbox box;
    box.config(std::string(stubborn) + "[service.t]\nrun = \"while :; do echo tick; sleep 0.05; done\"\n");
    auto up = box.start({"up"});
    BOOST_TEST(!line_with(up, "tick").starts_with("<"));
    BOOST_REQUIRE(becomes(box, "ready"));
    const std::string service = unit_member(box, "s", "pid");
    for (const int number : {SIGKILL, SIGSEGV, SIGKILL}) {
        kill_daemon(box, number);
        BOOST_REQUIRE(has_clients(box, 1));
        BOOST_TEST(!line_with(up, "tick").starts_with("<"));
        BOOST_TEST(unit_member(box, "s", "pid") == service);
    }
    up.signal(SIGINT);
    BOOST_REQUIRE(becomes(box, "stopping"));
    kill_daemon(box);
    BOOST_REQUIRE(has_clients(box, 1));
    box.write("go", "");
    const auto done = up.wait();
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(unit_member(box, "s", "state") == "stopped");
    BOOST_TEST(unit_member(box, "t", "state") == "stopped");
}

BOOST_AUTO_TEST_CASE(K70_a_crash_loop_ends_each_command_with_its_failure) {
    sandbox box;
    box.config(std::string(slow) + "[service.t]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "t"}).status == 0);
    const std::vector<std::vector<std::string>> commands{{"start", "s", "--json"},
                                                         {"wait", "s", "--json"},
                                                         {"events", "--json"},
                                                         {"status", "--watch", "--json"},
                                                         {"up", "t", "--json"}};
    std::vector<background> running;
    for (const auto& command : commands)
        running.push_back(box.start(command));
    BOOST_REQUIRE(has_clients(box, static_cast<int>(commands.size())));
    auto logs = box.start({"logs", "-f"});
    crash_until_braked(box);
    for (std::size_t i = 0; i < commands.size(); ++i) {
        const auto ended = running[i].wait();
        BOOST_TEST_CONTEXT(commands[i].front() << ended.text()) {
            BOOST_TEST(ended.status == 3);
            BOOST_TEST(ended.err.find("{\"error\":{\"code\":\"crash_loop\"") != std::string::npos);
            BOOST_TEST(ended.elapsed < 15s);
        }
    }
    BOOST_TEST(logs.running());
    BOOST_TEST(box.run({"daemon"}).status == 0);
}

BOOST_AUTO_TEST_CASE(K71_with_the_keeper_killed_too_commands_start_a_daemon_or_say_that_there_is_none) {
    sandbox box;
    box.config(
        std::string(stubborn) +
        "[service.t]\nrun = \"sleep 1000\"\n"
        "[service.u]\nrun = \"sleep 1000\"\nready = { exec = \"test -e ready\", timeout = \"60s\" }\n");
    BOOST_REQUIRE(box.run({"start", "s", "t"}).status == 0);
    auto start = box.start({"start", "u"});
    auto stop = box.start({"stop", "s", "--json"});
    auto events = box.start({"events", "--json"});
    auto watch = box.start({"status", "--watch"});
    BOOST_REQUIRE(has_clients(box, 4));
    std::string first;
    while (first.empty()) {  // until it is subscribed
        BOOST_REQUIRE(box.run({"run", "--", "true"}).status == 0);
        try {
            first = events.read_line(1s).value_or("");
        } catch (const test_failure&) {  // not yet
        }
    }
    // The start comes last, so that nobody else finds a daemon.
    start.signal(SIGSTOP);
    box.kill_daemon_and_keeper();
    const auto stopped = stop.wait(), last = events.wait(), seen = watch.wait();
    BOOST_TEST(stopped.status == 3, stopped.text());
    BOOST_TEST(value_at(stopped.err, "/error/code") == "daemon_lost", stopped.text());
    BOOST_TEST(last.status == 0, last.text());
    BOOST_TEST(last.out.find("daemon.ended") != std::string::npos, last.text());
    BOOST_TEST(seen.status == 0, seen.text());
    BOOST_TEST(seen.err == "hob: the daemon has ended\n", seen.text());
    box.write("ready", "");
    box.write("go", "");
    start.signal(SIGCONT);
    const auto started = start.wait();
    BOOST_TEST(started.status == 0, started.text());
}

BOOST_AUTO_TEST_CASE(K72_a_request_of_which_every_daemon_dies_ends) {
    sandbox box;
    box.config(slow);
    auto start = box.start({"start", "s", "--json"});
    int killed = 0;
    while (start.running() && killed < 40) {
        if (!wait_until([&] { return !start.running() || has_clients(box, 1); })) break;
        if (!start.running()) break;
        kill_daemon(box);
        ++killed;
    }
    const auto ended = start.wait();
    BOOST_TEST(ended.status == 3, ended.text());
    BOOST_TEST(value_at(ended.err, "/error/code") == "daemon_lost", ended.text());
    BOOST_TEST(killed == 10);
}

BOOST_AUTO_TEST_CASE(K73_a_looker_that_connects_at_a_death_never_says_that_the_daemon_shuts_down) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    for (int i = 0; i < scaled(60); ++i) {
        auto status = box.start({"status", "s"});
        auto signal = box.start({"signal", "s", "CONT"});
        let_pass_randomly(4ms);
        const pid_t before = box.daemon_pid();
        ::kill(before, SIGKILL);
        const auto seen = status.wait(), sent = signal.wait();
        BOOST_TEST(seen.status == 0, seen.text());
        const bool known =
            sent.status == 0 || sent.err.find("the daemon died before it replied") != std::string::npos;
        BOOST_TEST(known, sent.text());
        BOOST_REQUIRE(wait_until([&] { return box.daemon_pid() > 1 && box.daemon_pid() != before; }));
        BOOST_REQUIRE(box.run({"ping"}).status == 0);
    }
}

BOOST_AUTO_TEST_SUITE_END()
