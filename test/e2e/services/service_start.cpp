// How a service starts and fails: one outcome for each start, what it waits for, and when hob gives up.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(service_start)

BOOST_AUTO_TEST_CASE(U16_a_service_that_ends_at_once_has_failed_to_start_each_time) {
    sandbox box;
    box.config(service("three", "exit 3", "restart = \"never\"") +
               service("zero", "exit 0", "restart = \"never\"") +
               service("after_zero", "exec sleep 1000", "after = [\"zero\"]"));
    for (int i = 0; i < scaled(15); ++i) {
        const auto three = box.run({"start", "three"});
        BOOST_TEST(three.status == 1, three.text());
        BOOST_TEST(three.err.find("cannot start 'three': exited with status 3\n") != std::string::npos,
                   three.err);
        const auto zero = box.run({"start", "zero"});
        BOOST_TEST(zero.status == 1, zero.text());
        BOOST_TEST(zero.err.find("cannot start 'zero': exited with status 0 before it was ready") !=
                       std::string::npos,
                   zero.err);
        const auto dependent = box.run({"start", "after_zero"});
        BOOST_TEST(dependent.status == 1, dependent.text());
        BOOST_TEST(dependent.err.find("cannot start 'after_zero': it waits for 'zero', which failed") !=
                       std::string::npos,
                   dependent.err);
    }
}

BOOST_AUTO_TEST_CASE(U16_a_delay_of_zero_is_ready_each_time_even_if_the_program_ends_at_once) {
    sandbox box;
    box.config(service("s", "exit 3", "restart = \"never\"\nready = { delay = \"0s\" }"));
    for (int i = 0; i < scaled(15); ++i) {
        const auto started = box.run({"start", "s"});
        BOOST_TEST(started.status == 0, started.text());
        BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    }
}

BOOST_AUTO_TEST_CASE(U16_a_start_while_the_service_is_ending_by_itself_starts_it_again) {
    sandbox box;
    box.config(service("s",
                       "echo $$ >> pids; [ $(wc -l < pids) -gt 1 ] && exec sleep 1000; (trap '' TERM; exec "
                       "sleep 1) & exit 0",
                       "ready = { delay = \"0s\" }\nstop = { timeout = \"2s\" }\nrestart = \"never\""));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "stopping"; }));
    BOOST_TEST(box.run({"start", "s"}).status == 0);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "ready"; }));
}

BOOST_AUTO_TEST_CASE(U18_the_limit_of_restarts_is_a_failure_even_after_clean_exits) {
    sandbox box;
    box.config(
        service("s", "sleep 0.2; exit 0",
                "restart = \"always\"\nmax_restarts = 2\nbackoff = { min = \"10ms\", max = \"10ms\" }\n"
                "on_failure = 'echo \"$HOB_REASON\" > reason.new; mv reason.new reason'"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto waited = box.run({"wait", "s", "--for", "stopped", "--timeout", "20s"});
    BOOST_TEST(waited.status == 0, waited.text());
    const std::string reason = "exited with status 0; restarted 2 times in a row, which is the limit";
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "s", "detail") == reason);
    BOOST_TEST(wait_until([&] { return slurp(box.project() + "/reason") == reason + "\n"; }));
    BOOST_TEST(box.run({"wait", "s", "--timeout", "20s"}).status == 1);
}

BOOST_AUTO_TEST_CASE(U18_a_start_that_comes_to_the_limit_of_restarts_fails) {
    sandbox box;
    box.config(
        service("s", "exit 0",
                "restart = \"always\"\nmax_restarts = 1\nbackoff = { min = \"10ms\", max = \"10ms\" }\n"));
    BOOST_TEST(box.run({"start", "s"}).status == 1);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "s", "detail") ==
               "exited with status 0 before it was ready; restarted 1 time in a row, which is the limit");
}

BOOST_AUTO_TEST_CASE(U27_a_service_that_is_restarted_again_and_again_is_reported_once_a_streak) {
    sandbox box;
    box.config(service("s", "exit 6",
                       "backoff = { min = \"10ms\", max = \"10ms\" }\n"
                       "on_failure = 'echo \"$HOB_REASON\" >> reasons'"));
    BOOST_TEST(box.run({"start", "s"}).status == 1);
    BOOST_REQUIRE(wait_until([&] { return std::atoi(unit_member(box, "s", "restarts").c_str()) > 8; }, 20s));
    BOOST_TEST(wait_until([&] {
        return slurp(box.project() + "/reasons") ==
               "crash-loop: exited with status 6; restarted 5 times in a row\n";
    }));
    BOOST_TEST(unit_member(box, "s", "failing") == "true");
    const auto status = box.run({"status", "s"});
    BOOST_TEST(
        (status.out.find("!  s") != std::string::npos || status.out.find("\u2717  s") != std::string::npos),
        status.out);
    BOOST_TEST(wait_until([&] { return box.run({"prompt"}).out.find("!1") != std::string::npos; }));
    // A start by hand begins another streak.
    BOOST_TEST(box.run({"restart", "s"}).status == 1);
    BOOST_TEST(
        wait_until([&] { return count(slurp(box.project() + "/reasons"), "crash-loop: ") == 2; }, 20s));
}

BOOST_AUTO_TEST_CASE(U27_a_service_that_stays_ready_is_no_longer_failing) {
    sandbox box;
    box.config(service("s", "echo >> starts; [ $(wc -l < starts) -gt 6 ] && exec sleep 1000; exit 6",
                       "backoff = { min = \"10ms\", max = \"10ms\", reset = \"300ms\" }"));
    box.run({"start", "s"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "failing") == "true"; }, 20s));
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "failing") == "absent"; }, 20s));
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
    BOOST_TEST(box.run({"prompt"}).out.find('!') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(U27_a_task_whose_last_run_failed_is_failing) {
    sandbox box;
    box.config("[task.t]\nrun = \"test -e flag\"\n");
    BOOST_TEST(box.run({"run", "t"}).status == 1);
    BOOST_TEST(unit_member(box, "t", "failing") == "true");
    box.write("flag", "");
    BOOST_TEST(box.run({"run", "t"}).status == 0);
    BOOST_TEST(unit_member(box, "t", "failing") == "absent");
}

BOOST_AUTO_TEST_CASE(U25_a_program_that_puts_itself_into_the_background_is_told_so) {
    const std::string message = "it put itself into the background: it exited with status 0 and left pid ";
    for (const std::string script : {"sleep 1001 & exit 0", "(setsid sleep 1001 &); exit 0",
                                     "sleep 0.3; setsid sleep 1001 & sleep 0.3; exit 0"}) {
        sandbox box;
        box.config(service("s", script, "restart = \"never\"\nready = { delay = \"200ms\" }"));
        const auto started = box.run({"start", "s"});
        BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
        const std::string detail = unit_member(box, "s", "detail");
        BOOST_TEST(detail.starts_with(message), script << ": " << detail);
        BOOST_TEST(detail.ends_with("); run it in the foreground"), script << ": " << detail);
        if (started.status != 0) BOOST_TEST(started.err.find(message) != std::string::npos, started.err);
        BOOST_TEST(wait_until([&] { return box.processes().size() == 1; }), script);
    }
}

BOOST_AUTO_TEST_CASE(U17_a_start_ends_at_once_when_what_it_waits_for_is_stopped_fails_or_is_removed) {
    const std::string slow =
        service("a", "exec sleep 1000", "ready = { log = \"never\", timeout = \"60s\" }");
    const std::string dependent = service("b", "exec sleep 1000", "after = [\"a\"]");
    const auto waits = [](sandbox& box) {
        BOOST_REQUIRE(wait_until([&] { return unit_member(box, "b", "state") == "waiting"; }));
    };
    {
        sandbox box;
        box.config(slow + dependent);
        auto starting = box.start({"start", "b"});
        waits(box);
        BOOST_TEST(box.run({"stop", "a"}).status == 0);
        const auto started = starting.wait();
        BOOST_TEST(started.status == 1, started.text());
        BOOST_TEST(started.err.find("cannot start 'b': it waits for 'a', which is stop") != std::string::npos,
                   started.err);
    }
    {
        sandbox box;
        box.config(slow + dependent);
        auto starting = box.start({"start", "b"});
        waits(box);
        ::kill(std::atoi(unit_member(box, "a", "pid").c_str()), SIGKILL);
        const auto started = starting.wait();
        BOOST_TEST(started.status == 1, started.text());
        BOOST_TEST(started.err.find("cannot start 'b': it waits for 'a', which failed") != std::string::npos,
                   started.err);
    }
    {
        sandbox box;
        box.config(slow + dependent);
        auto starting = box.start({"start", "b"});
        waits(box);
        box.config("");
        BOOST_TEST(box.run({"reload"}).status == 0);
        const auto started = starting.wait();
        BOOST_TEST(started.status == 1, started.text());
    }
}

BOOST_AUTO_TEST_CASE(U17_a_start_goes_on_when_what_it_waits_for_is_restarted_and_comes_up) {
    sandbox box;
    box.config(service("a", "[ -e flag ] && echo up; exec sleep 1000",
                       "ready = { log = \"up\", timeout = \"60s\" }") +
               service("b", "exec sleep 1000", "after = [\"a\"]"));
    auto starting = box.start({"start", "b"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "b", "state") == "waiting"; }));
    box.write("flag", "");
    BOOST_TEST(box.run({"restart", "a"}).status == 0);
    const auto started = starting.wait();
    BOOST_TEST(started.status == 0, started.text());
}

BOOST_AUTO_TEST_CASE(U17_a_start_after_a_failure_of_what_it_waits_for_tries_that_again) {
    sandbox box;
    box.config(service("a", "[ -e flag ] || exit 1; exec sleep 1000", "restart = \"never\"") +
               service("b", "exec sleep 1000", "after = [\"a\"]"));
    BOOST_TEST(box.run({"start", "b"}).status == 1);
    box.write("flag", "");
    BOOST_TEST(box.run({"start", "b"}).status == 0);
}

BOOST_AUTO_TEST_CASE(U17_a_start_after_a_repair_knows_nothing_of_the_failure_before) {
    sandbox box;
    const auto with = [&](const std::string& first) {
        box.config(
            service("first", first, "restart = \"always\"\nbackoff = { min = \"1m\", max = \"10m\" }") +
            "[task.between]\nrun = \"true\"\nafter = [\"first\"]\n" +
            service("last", "exec sleep 1000", "after = [\"between\"]"));
    };
    for (int i = 0; i < scaled(10); ++i) {
        with("exit 1");
        const auto broken = box.run({"start"});
        BOOST_TEST(broken.status == 1, broken.text());
        BOOST_TEST(count(broken.err, "'last'") == 1u, broken.err);
        BOOST_TEST(unit_member(box, "first", "state") == "backoff");
        with("exec sleep 1000");
        const auto repaired = box.run({"start"});
        BOOST_TEST(repaired.status == 0, repaired.text());
        BOOST_TEST(unit_member(box, "last", "state") == "ready");
        BOOST_TEST(box.run({"stop"}).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(U17_a_run_ends_at_once_when_what_it_waits_for_is_stopped) {
    sandbox box;
    box.config(service("a", "exec sleep 1000", "ready = { log = \"never\", timeout = \"60s\" }") +
               "[task.t]\nrun = \"true\"\nafter = [\"a\"]\n");
    auto running = box.start({"run", "t"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "a", "state") == "starting"; }));
    BOOST_TEST(box.run({"stop", "a"}).status == 0);
    const auto run = running.wait();
    BOOST_TEST(run.status != 0, run.text());
    BOOST_TEST(run.text().find("it waits for 'a', which is stop") != std::string::npos, run.text());
}

BOOST_AUTO_TEST_CASE(U17_at_autostart_what_waits_for_a_failed_unit_has_failed_and_stays_wanted) {
    sandbox box;
    box.config(
        service("a", "[ -e flag ] || exit 3; exec sleep 1000", "restart = \"never\"\nautostart = true") +
        service("b", "exec sleep 1000", "after = [\"a\"]\nautostart = true") +
        service("c", "exec sleep 1000", "after = [\"b\"]\nautostart = true"));
    BOOST_TEST(box.run({"start"}).status == 1);
    box.kill_daemon_and_keeper();
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return unit_member(box, "c", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "b", "state") == "failed");
    BOOST_TEST(unit_member(box, "b", "detail") == "it waits for 'a', which failed");
    BOOST_TEST(unit_member(box, "c", "detail") == "it waits for 'b', which failed");
    box.write("flag", "");
    BOOST_TEST(box.run({"start", "a"}).status == 0);
    BOOST_TEST(unit_member(box, "b", "state") == "failed");  // not tried again
    box.kill_daemon_and_keeper();
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"wait", "c", "--timeout", "20s"}).status == 0);
}

BOOST_AUTO_TEST_CASE(U38_a_command_inside_a_unit_that_its_target_waits_for_fails_at_once) {
    sandbox box;
    box.config(
        "[task.t]\nrun = \"hob start b\"\n" + service("a", "exec sleep 1000", "after = [\"t\"]") +
        service("b", "exec sleep 1000", "after = [\"a\"]") + service("free", "exec sleep 1000") +
        "[task.fine]\nrun = \"hob start free\"\n[task.self]\nrun = \"hob run self\"\noverlap = \"queue\"\n");
    const auto run = box.run({"run", "t", "--timeout", "20s"});
    BOOST_TEST(run.status == 1, run.text());
    BOOST_TEST(
        run.err.find("cannot start 'b': deadlock: 'b' waits for 'a' waits for 't', and this command runs in "
                     "'t'") != std::string::npos,
        run.err);
    const auto self = box.run({"run", "self", "--timeout", "20s"});
    BOOST_TEST(
        self.err.find("deadlock: this command runs in 'self' and would wait for it") != std::string::npos,
        self.err);
    BOOST_TEST(box.run({"run", "fine", "--timeout", "20s"}).status == 0);
}

BOOST_AUTO_TEST_CASE(U27_on_failure_of_a_worker_runs_once_until_it_is_warm_again) {
    sandbox box;
    box.config(
        "[worker.w]\nrun = \"echo last words >&2; exit 4\"\nprotocol = \"lines\"\n"
        "on_failure = 'echo \"$HOB_UNIT|$HOB_REASON|$HOB_LAST_LINES\" >> told'\n");
    BOOST_TEST(box.run({"call", "w", "x"}).status == 1);
    BOOST_TEST(wait_until([&] {
        return slurp(box.project() + "/told") == "w|the worker exited with status 4|last words\n\n";
    }));
}

BOOST_AUTO_TEST_CASE(U27_a_worker_that_ends_before_a_call_is_sent_is_started_once_for_it) {
    for (const std::string status : {"0", "4"}) {
        sandbox box;
        box.config("[worker.w]\nrun = \"echo . >> starts; exit " + status + "\"\nprotocol = \"lines\"\n");
        for (const std::string starts : {".\n", ".\n.\n", ".\n.\n.\n"}) {
            const auto called = box.run({"call", "w", "x"});
            BOOST_TEST(called.status == 1);
            BOOST_TEST(called.err.find("exited with status " + status) != std::string::npos, called.err);
            BOOST_TEST(slurp(box.project() + "/starts") == starts);
        }
    }
}

BOOST_AUTO_TEST_CASE(U27_on_failure_of_a_task_gets_the_last_lines_of_both_streams_of_that_run) {
    sandbox box;
    box.config(
        "[task.t]\nrun = 'echo out $1; echo err $1 >&2; [ \"$1\" = fine ]'\n"
        "on_failure = 'printf %s \"$HOB_LAST_LINES\" > told.new; mv told.new told'\n");
    BOOST_TEST(box.run({"run", "t", "--", "fine"}).status == 0);
    BOOST_TEST(box.run({"run", "t", "--", "bad"}).status == 1);
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/told"); }));
    const std::string told = slurp(box.project() + "/told");
    BOOST_TEST(told.find("out bad\n") != std::string::npos, told);
    BOOST_TEST(told.find("err bad\n") != std::string::npos, told);
    BOOST_TEST(told.find("fine") == std::string::npos, told);
}

BOOST_AUTO_TEST_SUITE_END()
