// hob up: what it shows, how it ends, and what it leaves behind.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sstream>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

std::string state_of(sandbox& box, const std::string& unit) { return unit_member(box, unit, "state"); }

bool becomes(sandbox& box, const std::string& unit, const std::string& state) {
    return wait_until([&] { return state_of(box, unit) == state; }, 20s);
}

// Its next line of standard output; fails the test at the end.
std::string next_line(background& up) { return up.read_line(20s).value_or("<end>"); }

const std::string talker = "echo hello; exec sleep 1000";

}  // namespace

BOOST_AUTO_TEST_SUITE(up)

BOOST_AUTO_TEST_CASE(it_shows_what_units_print_and_stops_what_it_started) {
    sandbox box;
    box.config(service("web", talker) + service("before", talker));
    BOOST_REQUIRE(box.run({"start", "before"}).status == 0);
    auto up = box.start({"up"});
    BOOST_TEST(next_line(up) == "web | hello");
    BOOST_TEST(becomes(box, "web", "ready"));
    up.signal(SIGTERM);
    const auto ended = up.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(ended.err.find("web is ready") != std::string::npos, ended.err);
    BOOST_TEST(ended.err.find("web has stopped") != std::string::npos, ended.err);
    BOOST_TEST(state_of(box, "web") == "stopped");
    BOOST_TEST(state_of(box, "before") == "ready");
    // The wish is gone, and it is not held.
    box.kill_daemon_and_keeper();
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(becomes(box, "before", "ready"));
    BOOST_TEST(state_of(box, "web") == "stopped");
}

BOOST_AUTO_TEST_CASE(what_it_stopped_is_not_held) {
    sandbox box;
    box.config(service("db", talker) + service("web", talker, "after = ['db']"));
    auto up = box.start({"up", "db"});
    BOOST_TEST(next_line(up) == "db | hello");
    up.signal(SIGINT);
    BOOST_TEST(up.wait().status == 0);
    const auto started = box.run({"start", "web"});
    BOOST_TEST(started.status == 0, started.text());
    BOOST_TEST(state_of(box, "db") == "ready");
}

BOOST_AUTO_TEST_CASE(what_has_failed_in_it_is_not_started_later_by_a_change) {
    sandbox box;
    box.shell("mkdir conf");
    box.config(
        service("bad", "echo life >> lives; sleep 0.3; exit 7", "restart = 'never'\nwatch = ['conf']"));
    BOOST_TEST(box.run({"up"}).status == 1);
    BOOST_TEST(state_of(box, "bad") == "failed");
    box.shell("echo x > conf/a");
    let_pass(700ms);
    BOOST_TEST(slurp(box.project() + "/lives") == "life\n");
}

BOOST_AUTO_TEST_CASE(a_unit_that_was_removed_meanwhile_does_not_keep_the_others_up) {
    sandbox box;
    box.config(service("a", talker) + service("b", talker));
    auto up = box.start({"up"});
    BOOST_TEST(becomes(box, "a", "ready"));
    BOOST_TEST(becomes(box, "b", "ready"));
    box.config(service("a", talker));
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    up.signal(SIGTERM);
    const auto ended = up.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(state_of(box, "a") == "stopped");
}

BOOST_AUTO_TEST_CASE(nothing_old_is_shown_and_no_last_line_is_lost) {
    sandbox box;
    box.config(service("s", "echo life $(cat n); printf 'last words'; exit 0", "restart = 'never'"));
    box.write("n", "1");
    box.run({"start", "s"});
    BOOST_REQUIRE(box.run({"wait", "s", "--for", "stopped"}).status == 0);
    for (int life = 2; life < 2 + scaled(20); ++life) {
        box.write("n", std::to_string(life));
        const auto up = box.run({"up", "s"});
        BOOST_TEST(up.out == fmt::format("s | life {}\ns | last words\n", life));
        BOOST_TEST(up.status == 1, up.text());  // it ended before it was ready
    }
}

BOOST_AUTO_TEST_CASE(it_ends_when_all_have_ended_with_1_if_one_has_failed) {
    sandbox box;
    const std::string fine = service("fine", "sleep 0.5; echo bye");
    box.config(fine);
    const auto good = box.run({"up"});
    BOOST_TEST(good.status == 0, good.text());
    BOOST_TEST(good.out == "fine | bye\n");
    box.config(fine + service("bad", "sleep 0.3; exit 7", "restart = 'never'"));
    const auto bad = box.run({"up"});
    BOOST_TEST(bad.status == 1, bad.text());
    BOOST_TEST(bad.err.find("cannot keep 'bad' up: exited with status 7") != std::string::npos, bad.err);
    BOOST_TEST(bad.out == "fine | bye\n");
}

BOOST_AUTO_TEST_CASE(a_task_that_is_needed_and_fails_is_told_and_ends_it) {
    sandbox box;
    box.config("[task.migrate]\nrun = \"sh -c 'echo no table; exit 3'\"\n" +
               service("web", talker, "after = ['migrate']"));
    const auto up = box.run({"up"});
    BOOST_TEST(up.status == 1, up.text());
    BOOST_TEST(up.out == "migrate | no table\n");
    BOOST_TEST(up.err.find("cannot keep 'web' up") != std::string::npos, up.err);
    BOOST_TEST(up.err.find("migrate") != std::string::npos, up.err);
}

BOOST_AUTO_TEST_CASE(with_the_end_of_a_unit_it_ends_and_has_its_status) {
    sandbox box;
    box.config(service("db", talker) + service("web", "sleep 0.4; exit 9", "restart = 'always'") +
               service("killed", "sleep 0.4; kill -KILL $$") +
               "[task.e2e]\nrun = \"sh -c 'echo tested; exit 5'\"\nafter = ['db']\n" +
               "[service.nowhere]\nrun = ['no-such-program']\nenabled = false\n");
    const auto of_task = box.run({"up", "db", "--exit-with", "e2e"});
    BOOST_TEST(of_task.status == 5, of_task.text());
    BOOST_TEST(of_task.out.find("e2e | tested\n") != std::string::npos, of_task.out);
    BOOST_TEST(state_of(box, "db") == "stopped");
    const auto of_service = box.run({"up", "--exit-with", "web"});
    BOOST_TEST(of_service.status == 9, of_service.text());
    BOOST_TEST(state_of(box, "web") == "stopped");
    BOOST_TEST(box.run({"up", "killed", "--exit-with", "killed"}).status == 128 + SIGKILL);
    const auto not_started = box.run({"up", "nowhere", "--exit-with", "nowhere"});
    BOOST_TEST(not_started.status == 125, not_started.text());
    BOOST_TEST(not_started.err.find("no-such-program") != std::string::npos, not_started.err);
    BOOST_TEST(box.run({"up", "--exit-with", "nothing"}).status == 125);
    box.config("[service.broken\n");
    BOOST_TEST(box.run({"up", "--exit-with", "e2e"}).status == 125);
    BOOST_TEST(box.run({"up"}).status == 2);
}

BOOST_AUTO_TEST_CASE(a_hang_up_and_a_reader_that_goes_leave_all_up) {
    sandbox box;
    box.config(service("web", "while :; do echo tick; sleep 0.1; done"));
    {
        auto up = box.start({"up"});
        BOOST_TEST(next_line(up) == "web | tick");
        up.signal(SIGHUP);
        const auto ended = up.wait();
        BOOST_TEST(ended.err.find("stay up") != std::string::npos, ended.err);
    }
    const std::string pid = unit_member(box, "web", "pid");
    BOOST_TEST(box.shell("hob up | head -n 2").out == "web | tick\nweb | tick\n");
    {
        auto up = box.start({"up"});
        BOOST_TEST(next_line(up) == "web | tick");
        up.kill_and_reap();
    }
    BOOST_TEST(state_of(box, "web") == "ready");
    BOOST_TEST(unit_member(box, "web", "pid") == pid);
}

BOOST_AUTO_TEST_CASE(a_second_signal_kills) {
    sandbox box;
    box.config(
        service("deaf", "trap '' TERM; echo deaf; while :; do sleep 0.1; done", "stop.timeout = '60s'"));
    auto up = box.start({"up"});
    BOOST_TEST(next_line(up) == "deaf | deaf");
    BOOST_TEST(becomes(box, "deaf", "ready"));
    up.signal(SIGINT);
    BOOST_TEST(becomes(box, "deaf", "stopping"));
    up.signal(SIGINT);
    const auto ended = up.wait();
    BOOST_TEST(ended.elapsed < 30s);
    BOOST_TEST(state_of(box, "deaf") == "stopped");
}

BOOST_AUTO_TEST_CASE(a_slow_reader_delays_nobody_and_gets_every_line_in_order) {
    sandbox box;
    const int lines = scaled(100000);
    box.config(service("s", fmt::format("seq {}; echo done > finished; exec sleep 1000", lines)));
    auto up = box.start({"up"});
    // Nobody reads: the pipe is soon full.
    BOOST_TEST(wait_until([&] { return exists(box.project() + "/finished"); }, 20s));
    BOOST_TEST(box.run({"ping", "--timeout", "5s"}).status == 0);
    for (int line = 1; line <= lines; ++line) {
        const std::string got = next_line(up);
        if (got != fmt::format("s | {}", line)) BOOST_FAIL(fmt::format("line {}: {}", line, got));
    }
    up.signal(SIGTERM);
    BOOST_TEST(up.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(it_hears_a_signal_while_nobody_reads) {
    sandbox box;
    box.config(service("s", "yes & exec sleep 1000"));
    auto up = box.start({"up"});
    BOOST_TEST(becomes(box, "s", "ready"));
    up.signal(SIGTERM);
    BOOST_TEST(becomes(box, "s", "stopped"));
    up.kill_and_reap();
}

BOOST_AUTO_TEST_CASE(when_the_daemon_is_shut_down_it_ends_at_once) {
    sandbox box;
    box.config(service("web", "trap 'echo bye; exit' TERM; echo hi; while :; do sleep 0.05; done"));
    auto up = box.start({"up"});
    BOOST_TEST(next_line(up) == "web | hi");
    BOOST_TEST(becomes(box, "web", "ready"));
    const auto down = box.run({"down"});
    BOOST_TEST(down.status == 0, down.text());
    BOOST_TEST(down.elapsed < 4s);
    const auto ended = up.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(ended.out.ends_with("web | bye\n"), ended.out);
}

BOOST_AUTO_TEST_CASE(it_goes_on_with_the_next_daemon_after_a_crash_and_after_a_restart) {
    sandbox box;
    box.config(service("web", talker) + service("other", talker));
    auto up = box.start({"up", "web"});
    BOOST_TEST(next_line(up) == "web | hello");
    BOOST_TEST(becomes(box, "web", "ready"));
    for (const bool crash : {true, false}) {
        if (crash) {
            box.kill_daemon_and_keeper();
        } else {
            BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
            BOOST_TEST(box.run({"restart", "web"}).status == 0);
        }
        BOOST_TEST(next_line(up) == "web | hello");
        BOOST_TEST(becomes(box, "web", "ready"));
        BOOST_TEST(up.running());
    }
    BOOST_TEST(state_of(box, "other") == "stopped");
    up.signal(SIGINT);
    const auto ended = up.wait();
    BOOST_TEST(ended.status == 0, ended.text());
    BOOST_TEST(ended.err.find("the daemon has ended; another one goes on") != std::string::npos, ended.err);
    BOOST_TEST(ended.err.find("web has stopped") != std::string::npos, ended.err);
    BOOST_TEST(state_of(box, "web") == "stopped");
}

BOOST_AUTO_TEST_CASE(the_next_daemon_starts_nothing_for_it_that_was_stopped_by_hand) {
    sandbox box;
    box.config(service("web", talker) + service("db", talker));
    auto up = box.start({"up"});
    BOOST_TEST(becomes(box, "web", "ready"));
    BOOST_TEST(becomes(box, "db", "ready"));
    BOOST_TEST(box.run({"stop", "db"}).status == 0);
    const pid_t before = box.daemon_pid();
    box.kill_daemon_and_keeper();
    BOOST_TEST(wait_until([&] { return box.daemon_pid() != before && box.daemon_pid() > 0; }, 20s));
    BOOST_TEST(becomes(box, "web", "ready"));
    BOOST_TEST(state_of(box, "db") == "stopped");
    up.signal(SIGTERM);
    BOOST_TEST(up.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(the_unit_that_it_ends_with_is_one_of_the_next_daemon) {
    sandbox box;
    box.config(
        service("last", "echo up; until [ -e over ]; do sleep 0.05; done; exit 9", "restart = 'never'") +
        "[task.t]\nrun = 'echo began; sleep 1000'\n");
    auto up = box.start({"up", "--exit-with", "last"});
    BOOST_TEST(next_line(up) == "last | up");
    BOOST_TEST(becomes(box, "last", "ready"));
    box.kill_daemon_and_keeper();
    BOOST_TEST(next_line(up) == "last | up");
    BOOST_TEST(becomes(box, "last", "ready"));
    box.shell("touch over");
    const auto ended = up.wait();
    BOOST_TEST(ended.status == 9, ended.text());
    box.shell("rm over");
    auto task = box.start({"up", "--exit-with", "t"});
    std::string line;
    do {
        line = next_line(task);
    } while (line != "t | began" && line != "<end>");
    box.kill_daemon_and_keeper();
    const auto lost = task.wait();
    BOOST_TEST(lost.status == 125, lost.text());
    BOOST_TEST(lost.err.find("cannot end with 't': its run was lost with the daemon") != std::string::npos,
               lost.text());
}

BOOST_AUTO_TEST_CASE(detached_it_is_start_and_a_task_is_refused_with_what_to_do) {
    sandbox box;
    box.config(service("web", talker) + "[task.t]\nrun = 'true'\n");
    const auto start = box.run({"up", "-d"});
    BOOST_TEST(start.status == 0, start.text());
    BOOST_TEST(state_of(box, "web") == "ready");
    const auto refused = box.run({"up", "t"});
    BOOST_TEST(refused.status == 1);
    BOOST_TEST(refused.err.find("hob up --exit-with t") != std::string::npos, refused.err);
    const auto run = box.run({"run", "web"});
    BOOST_TEST(run.err.find("hob up web") != std::string::npos, run.err);
    const auto task = box.run({"start", "t"});
    BOOST_TEST(task.status == 0);
    BOOST_TEST(task.err == "hint: 't' is a task: hob run t runs it\n", task.text());
    BOOST_TEST(box.run({"start"}).err.empty());
    BOOST_TEST(box.run({"up", "-d", "--exit-with", "t"}).status == 2);
}

BOOST_AUTO_TEST_CASE(it_names_what_it_starts_so_a_new_unit_is_accepted) {
    sandbox box;
    box.config(service("web", talker));
    BOOST_REQUIRE(box.run({"start", "web"}).status == 0);
    box.config(service("web", talker) + service("new", "echo new; exec sleep 1000", "autostart = true"));
    auto up = box.start({"up", "new"});
    BOOST_TEST(next_line(up) == "new | new");
    up.signal(SIGTERM);
    up.wait();
}

BOOST_AUTO_TEST_CASE(as_json_each_line_is_a_record_or_an_event) {
    sandbox box;
    box.config(service("web", "echo hello; sleep 0.3"));
    const auto up = box.run({"up", "--json"});
    BOOST_TEST(up.status == 0, up.text());
    std::istringstream lines(up.out);
    bool has_record = false, has_event = false;
    for (std::string line; std::getline(lines, line);) {
        BOOST_TEST(json_at(line, "/unit").value_or("") == "web", line);
        has_record = has_record || json_at(line, "/msg").value_or("") == "hello";
        has_event = has_event || json_at(line, "/to").value_or("") == "ready";
    }
    BOOST_TEST(has_record);
    BOOST_TEST(has_event);
}

BOOST_AUTO_TEST_CASE(the_deadline_stops_the_units) {
    sandbox box;
    box.config(service("web", talker));
    const auto up = box.run({"up", "--timeout", "1s"});
    BOOST_TEST(up.status == 4, up.text());
    BOOST_TEST(state_of(box, "web") == "stopped");
}

BOOST_AUTO_TEST_CASE(on_a_terminal_the_names_are_aligned_and_an_odd_line_is_harmless) {
    sandbox box;
    if (!require_program("script")) return;
    box.config(service("a", "sleep 0.2; printf 'x\\033[2Jy\\n'; sleep 0.3") +
               service("longer", "sleep 0.5; echo z"));
    const auto up = box.shell("TERM=xterm script -qec 'hob --color never up' /dev/null");
    BOOST_TEST(up.out.find("\na      | x") != std::string::npos, up.out);
    BOOST_TEST(up.out.find("\nlonger | z") != std::string::npos, up.out);
    BOOST_TEST(up.out.find("\033[2J") == std::string::npos);
    BOOST_TEST(up.out.find("hob    | longer is ready") != std::string::npos, up.out);
}

BOOST_AUTO_TEST_SUITE_END()
