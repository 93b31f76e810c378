#include <boost/test/unit_test.hpp>

#include <signal.h>

#include <sstream>

#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// The record of the newest run.
std::string newest(sandbox& box, const std::string& member) {
    return json_at(box.run({"runs", "--json"}).out, "/0/" + member).value_or("?");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(run)

BOOST_AUTO_TEST_CASE(a_command_gets_directory_environment_and_arguments_and_keeps_its_streams_apart) {
    sandbox box;
    box.config("");
    run_options options;
    box.shell("mkdir sub");
    options.cwd = box.project() + "/sub";
    options.env = {{"COLOUR", "red"}};
    const auto ran =
        box.run({"run", "--", "sh", "-c", "pwd; echo $COLOUR; echo oops >&2; printf '<%s>' \"$@\"", "sh",
                 "a b", "", "--json", "\xff"},
                options);
    BOOST_TEST_CONTEXT(ran.text()) {
        BOOST_TEST(ran.status == 0);
        BOOST_TEST(ran.out == box.project() + "/sub\nred\n<a b><><--json><\xff>");
        BOOST_TEST(ran.err == "oops\n");
    }
    BOOST_TEST(newest(box, "task") == "-");
    BOOST_TEST(newest(box, "state") == "ok");
}

BOOST_AUTO_TEST_CASE(U08_every_exit_status_and_every_signal_passes_through_and_is_recorded) {
    sandbox box;
    box.config(
        "[task.exits]\nrun = ['sh', '-c', 'exit $1', 'sh']\nkeep = 300\n"
        "[task.dies]\nrun = ['sh', '-c', 'ulimit -c 0; kill -$1 $$', 'sh']\nkeep = 300\n");
    const int step = sanitized() ? 51 : 1;
    run_options patient;
    patient.limit = 120s;
    std::string statuses, signals, expected;
    for (int status = 0; status < 256; status += step) {
        statuses += " " + std::to_string(status);
        expected += std::to_string(status) + "\n";
    }
    const auto exits = box.shell("for i in" + statuses + "; do hob run exits -- $i; echo $?; done", patient);
    BOOST_TEST(exits.out == expected);
    const auto of_exits = box.run({"runs", "exits", "-n", "all", "--json"}).out;
    for (int status = 0, at = 255 / step; status < 256; status += step, --at) {
        BOOST_TEST(json_at(of_exits, "/" + std::to_string(at) + "/exit").value_or("?") ==
                   std::to_string(status));
        BOOST_TEST(json_at(of_exits, "/" + std::to_string(at) + "/state").value_or("?") ==
                   (status == 0 ? "ok" : "failed"));
    }
    expected.clear();
    std::vector<int> sent;
    for (int number = 1; number <= 64; ++number) {
        const bool harmless =
            number == SIGCHLD || number == SIGCONT || number == SIGURG || number == SIGWINCH;
        const bool stops = number == SIGSTOP || number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
        if (harmless || stops || number == 32 || number == 33 || (sanitized() && number % 9 != 0)) continue;
        sent.push_back(number);
        signals += " " + std::to_string(number);
        expected += std::to_string(128 + number) + "\n";
    }
    const auto dies = box.shell("for i in" + signals + "; do hob run dies -- $i; echo $?; done", patient);
    BOOST_TEST(dies.out == expected);
    const auto of_dies = box.run({"runs", "dies", "-n", "all", "--json"}).out;
    for (std::size_t i = 0; i < sent.size(); ++i) {
        const std::string at = "/" + std::to_string(sent.size() - 1 - i);
        BOOST_TEST(json_at(of_dies, at + "/signal").value_or("?") == std::to_string(sent[i]));
        BOOST_TEST(json_at(of_dies, at + "/exit").value_or("?") == "null");
    }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_executed_exits_as_a_shell_would_and_hobs_own_failures_with_125) {
    sandbox box;
    box.config("[task.t]\nrun = \"true\"\n[worker.w]\nrun = \"cat\"\nprotocol = \"lines\"\n");
    const auto absent = box.run({"run", "--", "nosuchprogram"});
    BOOST_TEST(absent.status == 127);
    BOOST_TEST(absent.err ==
               "hob: cannot start 'nosuchprogram': its program 'nosuchprogram' is not in PATH\n");
    BOOST_TEST(newest(box, "state") == "failed");
    BOOST_TEST(newest(box, "exit") == "127");
    box.write("plain", "text", 0644);
    BOOST_TEST(box.run({"run", "--", "./plain"}).status == 126);
    BOOST_TEST(box.run({"run", "nosuchtask"}).status == 125);
    BOOST_TEST(box.run({"run", "w"}).status == 125);
    BOOST_TEST(box.run({"run"}).status == 125);
    BOOST_TEST(box.run({"run", "--nosuchoption"}).status == 125);
    BOOST_TEST(box.run({"run", "--no-spawn", "--instance", "none", "--", "true"}).status == 125);
    BOOST_TEST(box.run({"--timeout", "300ms", "run", "--", "sleep", "100"}).status == 125);
}

BOOST_AUTO_TEST_CASE(a_task_runs_in_its_place_with_its_arguments_and_leaves_a_record) {
    sandbox box;
    box.config(
        "[task.greet]\nrun = ['sh', '-c', 'echo \"$WHO $HOB_UNIT $HOB_RUN $HOB_TRIGGER $1\"', 'sh']\n"
        "env = { WHO = 'me' }\n");
    const auto ran = box.run({"run", "greet", "--", "there"});
    BOOST_TEST(ran.status == 0);
    BOOST_TEST(ran.out == "me greet 1 manual there\n");
    const auto runs = box.run({"runs", "greet", "--json"});
    BOOST_TEST(json_at(runs.out, "/0/id").value_or("") == "1");
    BOOST_TEST(json_at(runs.out, "/0/trigger").value_or("") == "manual");
    BOOST_TEST(json_at(runs.out, "/0/log").value_or("") == box.state_dir() + "/log/greet.log");
    BOOST_TEST(json_at(runs.out, "/0/ended_at").value_or("null") != "null");
    BOOST_TEST(json_at(runs.out, "/0/max_rss_kib").value_or("null") != "null");
    const auto log = box.run({"logs", "--run", "1"});
    BOOST_TEST(log.out.find("me greet 1 manual there") != std::string::npos);
    const auto status = box.run({"status", "--json"});
    BOOST_TEST(json_at(status.out, "/units/0/state").value_or("") == "idle");
    BOOST_TEST(json_at(status.out, "/units/0/last_run/id").value_or("") == "1");
}

BOOST_AUTO_TEST_CASE(standard_input_reaches_the_command_whole) {
    sandbox box;
    box.config("");
    run_options options;
    options.input = std::string(3u << 20, 'x') + "end";
    const auto ran = box.run({"run", "--", "cat"}, options);
    BOOST_TEST(ran.status == 0);
    BOOST_TEST((ran.out == *options.input));
    // A command that stops reading.
    const auto partly = box.shell("yes | head -c 1000000 | hob run -- head -c 3; echo ${PIPESTATUS[2]}");
    BOOST_TEST(partly.out == "y\ny0\n");
    BOOST_TEST(box.run({"run", "--", "cat"}).out == "");
}

BOOST_AUTO_TEST_CASE(U14_the_output_ends_with_the_last_byte_though_a_grandchild_keeps_the_pipe) {
    sandbox box;
    box.config("");
    const auto ran = box.run({"run", "--", "sh", "-c", "setsid sleep 20 & seq 200000; printf last"});
    BOOST_TEST(ran.status == 0);
    BOOST_TEST(ran.out.ends_with("200000\nlast"));
    BOOST_TEST((ran.elapsed < 15s));
    const auto log = box.run({"logs", "--run", "1", "--json"});
    BOOST_TEST(log.out.find("\"msg\":\"last\"") != std::string::npos);
    box.expect_leftovers();  // what left the group of a command is spared
}

BOOST_AUTO_TEST_CASE(a_slow_reader_gets_every_byte_and_the_command_waits_for_it) {
    sandbox box;
    box.config("");
    const int size = scaled(64) << 20;
    const auto ran = box.shell("hob run -- head -c " + std::to_string(size) +
                               " /dev/zero | (sleep 1; wc -c); ps -o rss= -p $(cat " + box.pid_file() + ")");
    BOOST_TEST_CONTEXT(ran.text()) {
        const auto newline = ran.out.find('\n');
        BOOST_TEST(std::stol(ran.out.substr(0, newline)) == size);
        if (!sanitized()) BOOST_TEST(std::stol(ran.out.substr(newline + 1)) < 40000);
    }
}

BOOST_AUTO_TEST_CASE(an_interrupt_ends_the_group_and_a_second_one_kills) {
    sandbox box;
    box.config("");
    auto polite =
        box.start({"run", "--", "sh", "-c", "trap 'echo bye; exit 3' TERM; echo up; sleep 100 & wait"});
    BOOST_TEST(polite.read_line(20s).value_or("") == "up");
    polite.signal(SIGINT);
    const auto ended = polite.wait();
    BOOST_TEST(ended.out == "up\nbye\n");
    BOOST_TEST(ended.status == 3);
    BOOST_TEST(newest(box, "state") == "cancelled");

    auto deaf = box.start({"run", "--", "sh", "-c", "trap '' TERM; echo up; sleep 100 & wait; sleep 100"});
    BOOST_TEST(deaf.read_line(20s).value_or("") == "up");
    deaf.signal(SIGINT);
    deaf.signal(SIGINT);
    BOOST_TEST(deaf.wait().status == 128 + SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_killed_client_cancels_its_run_and_a_lost_terminal_does_not) {
    sandbox box;
    box.config("");
    auto killed = box.start({"run", "--", "sh", "-c", "echo up; sleep 100"});
    BOOST_TEST(killed.read_line(20s).value_or("") == "up");
    killed.kill_and_reap();
    BOOST_TEST(wait_until([&] { return newest(box, "state") == "cancelled"; }));

    auto hung_up =
        box.start({"run", "--", "sh", "-c",
                   "echo up; while [ ! -e " + box.root() + "/go ]; do sleep 0.1; done; echo done"});
    BOOST_TEST(hung_up.read_line(20s).value_or("") == "up");
    hung_up.signal(SIGHUP);
    BOOST_TEST(hung_up.wait().status == 128 + SIGHUP);
    BOOST_TEST(newest(box, "state") == "running");
    box.shell("touch " + box.root() + "/go");
    BOOST_TEST(wait_until([&] { return newest(box, "state") == "ok"; }));
}

BOOST_AUTO_TEST_CASE(a_detached_run_goes_on_and_its_log_is_found_by_its_number) {
    sandbox box;
    box.config("");
    const auto begun = box.run({"run", "--detach", "--", "sh", "-c", "echo one; sleep 0.2; echo two"});
    BOOST_TEST(begun.out == "1\n");
    BOOST_TEST(wait_until([&] { return newest(box, "state") == "ok"; }));
    const auto log = box.run({"logs", "--run", "1"});
    BOOST_TEST(log.out.find("one") != std::string::npos);
    BOOST_TEST(log.out.find("two") != std::string::npos);
    BOOST_TEST(box.run({"logs", "--run", "2"}).status == 1);
    BOOST_TEST(box.run({"logs", "--run", "x"}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_terminal_is_one_for_the_command) {
    sandbox box;
    box.config("");
    run_options options;
    options.env = {{"TERM", "vt100"}};
    const auto ran =
        box.run({"run", "--tty", "--", "sh", "-c", "test -t 0 && test -t 1 && tty >/dev/null && echo $TERM"},
                options);
    BOOST_TEST(ran.status == 0);
    BOOST_TEST(ran.out == "vt100\r\n");
    options.input = "typed\n";
    BOOST_TEST(box.run({"run", "--tty", "--", "cat"}, options).out.ends_with("typed\r\n"));
}

BOOST_AUTO_TEST_CASE(a_reader_that_goes_away_ends_the_run) {
    sandbox box;
    box.config("");
    const auto ran = box.shell("hob run -- yes | head -n 1; echo ${PIPESTATUS[0]}");
    BOOST_TEST(ran.out == "y\n141\n");
    BOOST_TEST(wait_until([&] { return newest(box, "state") == "cancelled"; }));
}

BOOST_AUTO_TEST_CASE(D03_a_killed_daemon_leaves_no_run_running_and_loses_none) {
    sandbox box;
    box.config("[task.t]\nrun = \"sleep 100\"\n");
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    BOOST_TEST(box.run({"run", "--detach", "t"}).out == "2\n");
    box.kill_daemon_and_keeper();
    // Without a daemon already.
    BOOST_TEST(newest(box, "state") == "lost");
    BOOST_TEST(box.run({"ping"}).status == 0);
    const auto runs = box.run({"runs", "--json"}).out;
    BOOST_TEST(json_at(runs, "/0/state").value_or("") == "lost");
    BOOST_TEST(json_at(runs, "/1/state").value_or("") == "ok");
    BOOST_TEST(box.run({"run", "--", "true"}).status == 0);
    BOOST_TEST(newest(box, "id") == "3");
}

BOOST_AUTO_TEST_CASE(D03_killed_at_any_moment_with_runs_in_flight_no_acknowledged_one_is_lost) {
    sandbox box;
    box.config(
        "[task.t]\nrun = [\"true\"]\nkeep = 100000\n[task.u]\nrun = [\"true\"]\nevery = \"50ms\"\nkeep = "
        "100000\n");
    BOOST_TEST(box.run({"run", "t"}).status == 0);
    const std::string going = box.root() + "/going", acknowledged = box.root() + "/ack";
    box.shell("touch " + going);
    auto load = box.start({"-c", "while [ -e " + going + " ]; do " + box.binary() + " run --json t 2>> " +
                                     acknowledged + "; done; true"},
                          [] {
                              run_options shell;
                              shell.program = "/bin/sh";
                              return shell;
                          }());
    for (int round = 0; round < scaled(100); ++round) {
        let_pass_randomly(60ms);
        const pid_t daemon = box.daemon_pid();
        if (daemon != 0) ::kill(daemon, SIGKILL);
        const auto next = box.run({"run", "--", "true"});
        BOOST_TEST_CONTEXT(next.text()) { BOOST_TEST(next.status == 0); }
    }
    box.shell("rm " + going);
    load.wait(60s);
    BOOST_TEST(box.run({"stop", "u"}).status == 0);
    std::string runs;
    BOOST_TEST(wait_until([&] {
                   runs = box.run({"runs", "-n", "all", "--json"}).out;
                   return count(runs, "\"state\":\"running\"") == 0u;
               }),
               runs);
    std::istringstream lines(slurp(acknowledged));
    int checked = 0;
    for (std::string line; std::getline(lines, line);) {
        const auto id = json_at(line, "/id");
        if (!id || json_at(line, "/state") != "ok") continue;
        ++checked;
        BOOST_TEST_CONTEXT("run " << *id) {
            const auto at = runs.find("{\"id\":" + *id + ",");
            BOOST_REQUIRE(at != std::string::npos);
            BOOST_TEST(runs.find("\"state\":\"ok\"", at) < runs.find('}', at));
        }
    }
    BOOST_TEST(checked > 0);
}

BOOST_AUTO_TEST_CASE(D10_many_runs_leave_memory_and_descriptors_flat) {
    sandbox box;
    box.config("[task.t]\nrun = [\"true\"]\nkeep = 50\n");
    const auto loop = [&](int count) {
        const auto ran =
            box.shell("for i in $(seq " + std::to_string(count) + "); do hob run t || exit 1; done");
        BOOST_TEST(ran.status == 0);
    };
    const auto memory = [&] { return std::stol(proc_status(box.daemon_pid(), "VmRSS")); };
    loop(scaled(100));
    const long before = memory();
    const int descriptors = open_descriptors(box.daemon_pid());
    loop(scaled(400));
    BOOST_TEST(open_descriptors(box.daemon_pid()) <= descriptors + 1);
    if (!sanitized()) BOOST_TEST(memory() < before + 1024);
    const auto runs = box.run({"runs", "-n", "all", "--json"}).out;
    if (!sanitized()) BOOST_TEST(count(runs, "\"id\":") == 50u);
}

BOOST_AUTO_TEST_CASE(what_the_daemon_is_asked_to_run_at_its_end_is_finished_or_cancelled) {
    sandbox box;
    box.config("[daemon]\nshutdown_timeout = \"4s\"\n");
    auto shorter = box.start({"run", "--", "sh", "-c", "echo up; sleep 0.5; echo done"});
    BOOST_TEST(shorter.read_line(20s).value_or("") == "up");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    const auto ended = shorter.wait();
    BOOST_TEST(ended.out == "up\ndone\n");
    BOOST_TEST(ended.status == 0);
    BOOST_TEST(box.run({"run", "--detach", "--", "sleep", "100"}).out == "2\n");
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    BOOST_TEST(newest(box, "state") == "cancelled");
}

BOOST_AUTO_TEST_SUITE_END()
