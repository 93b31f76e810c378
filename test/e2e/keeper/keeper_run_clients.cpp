// `hob run` over deaths of the daemon: its output and its result come from the next one.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "harness/terminal.hpp"

using namespace hob::test;

namespace {

std::string newest(sandbox& box, const std::string& member) {
    return value_at(box.run({"runs", "--json", "-n", "1"}).out, "/0/" + member);
}

bool newest_becomes(sandbox& box, const std::string& state) {
    return wait_until([&] { return newest(box, "state") == state; }, 20s);
}

// "PREFIX 1\n" … "PREFIX COUNT\n"
std::string numbered(const std::string& prefix, int count) {
    std::string text;
    for (int i = 1; i <= count; ++i)
        text += prefix + " " + std::to_string(i) + "\n";
    return text;
}

std::string output_of(const std::vector<std::string>& replies, const std::string& stream) {
    std::string text;
    for (const auto& line : replies) {
        if (value_at(line, "/method") == "run.output" && value_at(line, "/params/stream") == stream)
            text += json_at(line, "/params/data").value_or("");
    }
    return text;
}

// All that comes up to the reply.
std::vector<std::string> follow(raw_client& client, const std::string& params) {
    client.request("7", "run.follow", params);
    std::vector<std::string> lines;
    while (const auto line = client.line(20s)) {
        lines.push_back(*line);
        if (json_at(*line, "/id")) break;
    }
    return lines;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_run_clients)

BOOST_AUTO_TEST_CASE(K80_output_and_status_of_a_run_come_through_many_deaths) {
    sandbox box;
    box.config(
        "[task.t]\nrun = \"i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo out $i; echo err $i >&2; "
        "sleep 0.005; done; printf end; exit 7\"\n");
    auto run = box.start({"run", "t", "--json"});
    BOOST_TEST(run.read_line(20s).value_or("") == "out 1");
    for (int i = 0; i < 6; ++i) {
        let_pass_randomly(100ms);
        kill_daemon(box, i == 2 ? SIGSEGV : SIGKILL);
    }
    const auto done = run.wait(60s);
    BOOST_TEST(done.status == 7, done.err);
    BOOST_TEST(done.out == numbered("out", 300) + "end");
    const std::string errors = numbered("err", 300);
    BOOST_TEST(done.err.substr(0, errors.size()) == errors);
    BOOST_TEST(value_at(done.err.substr(std::min(errors.size(), done.err.size())), "/exit") == "7", done.err);
    BOOST_TEST(box.run({"runs", "--json"}).out.find("\"id\":2") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(K81_what_a_client_did_not_see_comes_from_the_log_also_when_the_run_is_over) {
    sandbox box;
    auto run =
        box.start({"run", "--", "sh", "-c",
                   "echo one; while [ ! -e go ]; do sleep 0.01; done; seq 20000; echo last >&2; printf end"});
    BOOST_TEST(run.read_line(20s).value_or("") == "one");
    run.signal(SIGSTOP);
    kill_daemon(box);
    box.write("go", "");
    BOOST_REQUIRE(newest_becomes(box, "ok"));
    run.signal(SIGCONT);
    const auto done = run.wait();
    BOOST_TEST(done.status == 0, done.err);
    BOOST_TEST(done.err == "last\n");
    BOOST_TEST(done.out.size() == box.shell("seq 20000").out.size() + 7);
    BOOST_TEST(done.out.ends_with("20000\nend"));
}

BOOST_AUTO_TEST_CASE(K82_a_question_without_a_newline_is_shown_once) {
    sandbox box;
    auto run = box.start({"run", "--", "sh", "-c",
                          "printf 'one\\ntwo? '; while [ ! -e go ]; do sleep 0.01; done; echo three"});
    BOOST_TEST(run.read_line(20s).value_or("") == "one");
    for (int i = 0; i < 3; ++i) {
        BOOST_REQUIRE(has_clients(box, 1));
        kill_daemon(box);
    }
    BOOST_REQUIRE(has_clients(box, 1));
    box.write("go", "");
    const auto done = run.wait();
    BOOST_TEST(done.out == "one\ntwo? three\n");
    BOOST_TEST(done.status == 0, done.text());
}

BOOST_AUTO_TEST_CASE(K83_signals_reach_the_run_through_the_next_daemon) {
    for (const bool stubborn : {false, true}) {
        sandbox box;
        auto run = box.start({"run", "--", "sh", "-c",
                              std::string(stubborn ? "trap 'echo no' INT TERM;" : "") +
                                  "echo up; while :; do sleep 0.02; done"});
        BOOST_TEST(run.read_line(20s).value_or("") == "up");
        kill_daemon(box);
        BOOST_REQUIRE(has_clients(box, 1));
        run.signal(SIGINT);
        if (stubborn) {
            BOOST_TEST(run.read_line(20s).value_or("") == "no");
            run.signal(SIGINT);
        }
        const auto done = run.wait();
        BOOST_TEST(done.status == (stubborn ? 128 + SIGKILL : 128 + SIGTERM), done.text());
        BOOST_TEST(newest(box, "state") == "cancelled");
    }
}

BOOST_AUTO_TEST_CASE(K84_a_signal_while_there_is_no_daemon_counts) {
    sandbox box;
    auto run = box.start({"run", "--", "sh", "-c", "echo up; exec sleep 1000"});
    BOOST_TEST(run.read_line(20s).value_or("") == "up");
    run.signal(SIGSTOP);
    kill_daemon(box);
    run.signal(SIGINT);
    run.signal(SIGCONT);
    const auto done = run.wait();
    BOOST_TEST(done.status == 128 + SIGTERM, done.text());
    BOOST_TEST(newest(box, "state") == "cancelled");
}

BOOST_AUTO_TEST_CASE(K85_the_terminal_of_a_run_goes_on) {
    sandbox box;
    terminal_program run(box, {"run", "-t", "--", "sh", "-c",
                               "echo up; while read -r x; do echo \"got $x $(stty size)\"; done"});
    run.until("up");
    for (int i = 0; i < 3; ++i) {
        BOOST_REQUIRE(has_clients(box, 1));
        kill_daemon(box, i == 1 ? SIGSEGV : SIGKILL);
        BOOST_REQUIRE(has_clients(box, 1));
        run.resize(static_cast<unsigned short>(20 + i), 77);
        const std::string size = std::to_string(20 + i) + " 77";
        // A size that was set meanwhile is taken over, too; the line may come before it.
        BOOST_TEST(wait_until([&] {
            run.type("x\n");
            return run.until("got x ").size() > 0 && run.until("77").find(size) != std::string::npos;
        }));
    }
    run.type("\x04");
    BOOST_TEST(run.wait() == 0);
    BOOST_TEST(run.restored());
}

BOOST_AUTO_TEST_CASE(K86_a_run_whose_client_does_not_come_back_is_cancelled) {
    sandbox box;
    auto gone = box.start({"run", "--", "sh", "-c", "echo up; exec sleep 1000"});
    BOOST_TEST(gone.read_line(20s).value_or("") == "up");
    gone.signal(SIGSTOP);
    kill_daemon(box);
    gone.signal(SIGKILL);
    BOOST_TEST(newest(box, "state") == "running");
    BOOST_TEST(newest_becomes(box, "cancelled"));
    // One that nobody followed goes on.
    BOOST_TEST(box.run({"run", "-d", "--", "sleep", "1000"}).out == "2\n");
    kill_daemon(box);
    let_pass(11s);
    BOOST_TEST(newest(box, "state") == "running");
    BOOST_TEST(box.run({"shutdown", "--now"}).status == 0);
}

BOOST_AUTO_TEST_CASE(K87_a_run_is_run_once_whenever_the_daemon_dies) {
    sandbox box;
    box.config("[task.t]\nrun = \"echo x >> ran; echo done\"\n");
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    for (int i = 0; i < scaled(40); ++i) {
        auto run = box.start({"run", "t"});
        let_pass_randomly(25ms);
        kill_daemon(box);
        const auto done = run.wait();
        BOOST_TEST_CONTEXT("round " << i << done.text()) {
            BOOST_TEST(done.status == 0);
            BOOST_TEST(done.out == "done\n");
            BOOST_TEST(count(slurp(box.project() + "/ran"), "x") == static_cast<std::size_t>(i) + 1);
        }
    }
}

BOOST_AUTO_TEST_CASE(K88_run_follow_of_the_wire_sends_what_is_wanted_and_tells_what_is_missing) {
    sandbox box;
    box.config(
        "[log]\nmax_size = \"64KiB\"\nmax_files = 1\n[task.t]\nrun = \"seq 1 5; echo e >&2; "
        "while [ ! -e go ]; do sleep 0.01; done; seq 20000\"\n");
    BOOST_TEST(box.run({"run", "-d", "t"}).out == "1\n");
    BOOST_REQUIRE(wait_until([&] { return count(box.run({"logs", "t"}).out, "\n") == 6u; }));
    raw_client client(box.socket());
    client.request("7", "run.follow", R"({"run":1,"stdout":4})");
    std::vector<std::string> lines;
    while (output_of(lines, "stdout") != "3\n4\n5\n" || output_of(lines, "stderr") != "e\n")
        lines.push_back(client.line(20s).value_or(""));
    raw_client second(box.socket());
    const auto refused = follow(second, R"({"run":1})");
    BOOST_TEST(value_at(refused.back(), "/error/data/code") == "unit_failed", refused.back());
    box.write("go", "");
    while (!json_at(lines.back(), "/id"))
        lines.push_back(client.line(20s).value_or(""));
    BOOST_TEST(value_at(lines.back(), "/result/state") == "ok", lines.back());
    BOOST_TEST(output_of(lines, "stdout").ends_with("\n19999\n20000\n"));
    // It is over now, and its beginning is not in the log any more.
    const auto late = follow(second, R"({"run":1,"stdout":100})");
    const auto skipped = std::find_if(late.begin(), late.end(), [](const std::string& line) {
        return value_at(line, "/method") == "run.skipped";
    });
    BOOST_REQUIRE(skipped != late.end());
    const std::string rest = output_of(late, "stdout");
    const auto whole = box.shell("seq 1 5; seq 20000").out;
    BOOST_TEST(whole.ends_with(rest));
    BOOST_TEST(value_at(*skipped, "/params/bytes") == std::to_string(whole.size() + 2 - 100 - rest.size()),
               *skipped);
    BOOST_TEST(value_at(follow(second, R"({"run":99})").back(), "/error/data/code") == "unit_unknown");
    BOOST_TEST(value_at(follow(second, R"({"run":1,"stdout":-1})").back(), "/error/data/code") == "usage");
}

BOOST_AUTO_TEST_CASE(K89_a_crash_loop_or_the_death_of_the_keeper_ends_hob_run) {
    for (const bool looped : {true, false}) {
        sandbox box;
        auto run = box.start({"run", "--json", "--", "sh", "-c", "echo up; exec sleep 1000"});
        BOOST_TEST(run.read_line(20s).value_or("") == "up");
        if (looped) {
            for (int i = 0; i < 2; ++i) {
                kill_daemon(box, SIGSEGV);
                BOOST_REQUIRE(has_clients(box, 1));
            }
            ::kill(box.daemon_pid(), SIGSEGV);
        } else {
            box.kill_daemon_and_keeper();
        }
        const auto done = run.wait();
        BOOST_TEST(done.status == 125, done.text());
        BOOST_TEST(value_at(done.err, "/error/code") == (looped ? "crash_loop" : "daemon_lost"), done.text());
        if (looped) BOOST_TEST(box.run({"shutdown"}).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(K90_up_with_a_task_ends_with_its_status_after_deaths) {
    sandbox box;
    box.config(
        "[service.s]\nrun = \"sleep 1000\"\n[task.t]\nrun = \"touch began; while [ ! -e go ]; do sleep 0.01; "
        "done; exit 9\"\n");
    auto up = box.start({"up", "s", "--exit-with", "t"});
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/began"); }));
    for (int i = 0; i < 2; ++i) {
        BOOST_REQUIRE(has_clients(box, 1));
        kill_daemon(box);
    }
    BOOST_REQUIRE(has_clients(box, 1));
    box.write("go", "");
    const auto done = up.wait();
    BOOST_TEST(done.status == 9, done.text());
}

BOOST_AUTO_TEST_CASE(K79_up_ends_with_a_service_that_ended_while_there_was_no_daemon) {
    sandbox box;
    box.config(
        "[service.s]\nrun = \"touch began; while [ ! -e go ]; do sleep 0.01; done; rm go; exit 9\"\n"
        "restart = \"always\"\nbackoff = { min = \"1ms\" }\nready = { delay = \"0s\" }\n");
    auto up = box.start({"up", "--exit-with", "s"});
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/began"); }));
    BOOST_REQUIRE(has_clients(box, 1));
    const std::string pid = unit_member(box, "s", "pid");
    // The follower sees neither the death of the daemon nor the end of the service: when it asks the next
    // daemon, the service is up again.
    up.signal(SIGSTOP);
    BOOST_REQUIRE(::unlink((box.project() + "/began").c_str()) == 0);
    kill_daemon(box);
    box.write("go", "");
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/began"); }));
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }));
    BOOST_TEST(unit_member(box, "s", "pid") != pid);
    up.signal(SIGCONT);
    const auto done = up.wait();
    BOOST_TEST(done.status == 9, done.text());
}

BOOST_AUTO_TEST_CASE(K79_up_says_that_a_service_ended_together_with_what_held_it) {
    sandbox box;
    box.config("[service.s]\nrun = \"sleep 1000\"\n");
    auto up = box.start({"up", "--exit-with", "s"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }));
    BOOST_REQUIRE(has_clients(box, 1));
    up.signal(SIGSTOP);
    box.kill_daemon_and_keeper();
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    up.signal(SIGCONT);
    const auto done = up.wait();
    BOOST_TEST(done.status == 125, done.text());
    BOOST_TEST(
        done.err.find("cannot end with 's': its process ended together with the daemon and its keeper") !=
            std::string::npos,
        done.text());
}

BOOST_AUTO_TEST_CASE(K91_waiting_for_a_run_and_its_log_go_on) {
    sandbox box;
    box.config("[task.t]\nrun = \"echo one; while [ ! -e go ]; do sleep 0.01; done; echo two; exit 4\"\n");
    BOOST_TEST(box.run({"run", "-d", "t"}).out == "1\n");
    auto wait = box.start({"wait", "--run", "1"});
    auto logs = box.start({"logs", "--run", "1", "-f", "--raw"});
    BOOST_TEST(logs.read_line(20s).value_or("") == "one");
    for (int i = 0; i < 2; ++i) {
        BOOST_REQUIRE(has_clients(box, 2));
        kill_daemon(box);
    }
    BOOST_REQUIRE(has_clients(box, 2));
    box.write("go", "");
    BOOST_TEST(wait.wait().status == 4);
    const auto shown = logs.wait();
    BOOST_TEST(shown.status == 0, shown.text());
    BOOST_TEST(shown.out == "one\ntwo\n", shown.text());
}

BOOST_AUTO_TEST_SUITE_END()
