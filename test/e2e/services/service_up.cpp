// A service stays up: restarts, dependencies, desired state, stops.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <sstream>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

pid_t unit_pid(sandbox& box, const std::string& unit) {
    return std::atoi(unit_member(box, unit, "pid").c_str());
}

std::string sleeper(const std::string& name, const std::string& more = {}) {
    return "[service." + name + "]\nrun = \"sleep 1000\"\n" + more + "\n";
}

bool comes_back(sandbox& box, const std::string& unit, pid_t before) {
    return wait_until(
        [&] {
            const pid_t pid = unit_pid(box, unit);
            return pid > 0 && pid != before && unit_member(box, unit, "state") == "ready";
        },
        20s);
}

// When each line of the unit's standard output was logged.
std::vector<long> times_of(sandbox& box, const std::string& unit) {
    std::vector<long> times;
    std::istringstream lines(box.shell("hob logs " + unit + " -n all | grep -o 'at [0-9]*$'").out);
    std::string word;
    long time = 0;
    while (lines >> word >> time)
        times.push_back(time);
    return times;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_up)

BOOST_AUTO_TEST_CASE(a_killed_service_is_up_again_and_counted) {
    sandbox box;
    box.config(sleeper("s", "backoff = { min = \"10ms\" }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t first = unit_pid(box, "s");
    ::kill(first, SIGKILL);
    BOOST_TEST(comes_back(box, "s", first));
    BOOST_TEST(unit_member(box, "s", "restarts") == "1");
    BOOST_TEST(unit_member(box, "s", "exit") == "signal 9");
}

BOOST_AUTO_TEST_CASE(restart_never_and_on_failure_and_always_mean_what_they_say) {
    sandbox box;
    box.config(
        service("never", "exit 1", "restart = \"never\"") +
        service("fine", "exit 0", "ready = { delay = \"0s\" }") +
        service("always", "exit 0", "restart = \"always\"\nbackoff = { min = \"10ms\", max = \"10ms\" }"));
    box.run({"start"});
    BOOST_TEST(wait_until([&] { return unit_member(box, "never", "state") == "failed"; }));
    BOOST_TEST(wait_until([&] { return unit_member(box, "fine", "state") == "stopped"; }));
    BOOST_TEST(wait_until([&] { return std::atoi(unit_member(box, "always", "restarts").c_str()) > 3; }));
    BOOST_TEST(unit_member(box, "never", "restarts") == "0");
    BOOST_TEST(unit_member(box, "fine", "exit") == "0");
}

BOOST_AUTO_TEST_CASE(U02_the_pause_grows_and_caps_and_restarts_by_hand_are_not_counted) {
    sandbox box;
    box.config(service("s", "echo at $(date +%s%3N); exit 1",
                       "backoff = { min = \"50ms\", max = \"200ms\" }\nmax_restarts = 5\n"));
    box.run({"start", "s"});
    BOOST_REQUIRE(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }, 20s));
    const auto times = times_of(box, "s");
    BOOST_REQUIRE(times.size() == 6u);
    const long lowest[] = {50, 100, 200, 200, 200};
    for (std::size_t i = 0; i < 5; ++i)
        BOOST_TEST(times[i + 1] - times[i] >= lowest[i] - 10);
    BOOST_TEST(unit_member(box, "s", "restarts") == "5");
    BOOST_TEST(unit_member(box, "s", "detail").find("restarted 5 times in a row") != std::string::npos);
    // A restart by hand resets the count.
    box.run({"restart", "s"});
    BOOST_REQUIRE(wait_until([&] { return times_of(box, "s").size() == 12u; }, 20s));
}

BOOST_AUTO_TEST_CASE(U02_a_service_that_was_up_for_long_enough_begins_at_the_shortest_pause) {
    sandbox box;
    box.config(service("s", "echo at $(date +%s%3N); sleep 0.4; exit 1",
                       "backoff = { min = \"100ms\", max = \"60s\", reset = \"200ms\" }\n"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    // If the pauses doubled, the sixth start would be more than six seconds after the first.
    BOOST_TEST(wait_until([&] { return times_of(box, "s").size() >= 7; }, 30s));
    const auto times = times_of(box, "s");
    BOOST_TEST(unit_member(box, "s", "detail").find("1.6s") == std::string::npos);
    BOOST_TEST(times.size() >= 7u);
}

BOOST_AUTO_TEST_CASE(U04_a_dependency_is_started_first_and_one_that_fails_is_named) {
    sandbox box;
    box.config(service("db", "sleep 0.3; echo up; exec sleep 1000", "ready = { log = \"^up\" }") +
               service("web", "exec sleep 1000", "after = [\"db\"]") +
               service("broken", "exit 9", "restart = \"never\"\nready = { delay = \"10s\" }") +
               service("blocked", "exec sleep 1000", "after = [\"broken\"]"));
    BOOST_TEST(box.run({"start", "web"}).status == 0);
    BOOST_TEST(unit_member(box, "db", "state") == "ready");
    const auto blocked = box.run({"start", "blocked"});
    BOOST_TEST(blocked.status == 1);
    BOOST_TEST(
        blocked.err.find("cannot start 'blocked': it waits for 'broken', which failed") != std::string::npos,
        blocked.err);
    BOOST_TEST(unit_member(box, "blocked", "state") == "failed");
    BOOST_TEST(unit_member(box, "blocked", "detail") == "it waits for 'broken', which failed");
    BOOST_TEST(unit_member(box, "blocked", "pid") == "null");
}

BOOST_AUTO_TEST_CASE(D01_sigterm_stops_services_in_reverse_order_and_they_return_with_the_next_daemon) {
    sandbox box;
    const std::string script = "trap 'echo {} >> order; exit 0' TERM; echo up; while :; do sleep 0.05; done";
    std::string config;
    const std::string after[] = {"", "after = [\"a\"]", "after = [\"b\"]"};
    const char* names[] = {"a", "b", "c"};
    for (int i = 0; i < 3; ++i)
        config += service(names[i], fmt::format(fmt::runtime(script), names[i]),
                          after[i] + "\nready = { log = \"up\" }");
    box.config(config);
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    ::kill(daemon, SIGTERM);
    BOOST_REQUIRE(wait_until([&] { return !process_lives(daemon); }, 20s));
    BOOST_TEST(slurp(box.project() + "/order") == "c\nb\na\n");
    BOOST_TEST(box.processes().empty());
    BOOST_TEST(box.run({"ping"}).status == 0);
    for (const char* name : names)
        BOOST_TEST(box.run({"wait", name, "--timeout", "20s"}).status == 0);
}

BOOST_AUTO_TEST_CASE(shutdown_forgets_the_wish_and_stop_holds_over_restarts) {
    sandbox box;
    box.config(sleeper("a") + sleeper("b", "autostart = true") + sleeper("c", "autostart = true"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    BOOST_REQUIRE(box.run({"stop", "c"}).status == 0);
    box.kill_daemon_and_keeper();
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"wait", "a", "--timeout", "20s"}).status == 0);
    BOOST_TEST(box.run({"wait", "b", "--timeout", "20s"}).status == 0);
    BOOST_TEST(unit_member(box, "c", "state") == "stopped");
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(box.run({"wait", "b", "--timeout", "20s"}).status == 0);
    BOOST_TEST(unit_member(box, "a", "state") == "stopped");
    BOOST_TEST(unit_member(box, "c", "state") == "stopped");
    BOOST_TEST(box.run({"start", "c"}).status == 0);
}

BOOST_AUTO_TEST_CASE(an_unknown_configuration_autostarts_nothing_until_something_is_asked_of_it) {
    sandbox box;
    box.config(sleeper("s", "autostart = true"));
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    BOOST_TEST(unit_member(box, "s", "state") == "stopped");
    box.run({"stop", "s"});
    BOOST_TEST(unit_member(box, "s", "state") == "stopped");
}

BOOST_AUTO_TEST_CASE(D03_services_return_after_kill_9_of_daemon_and_keeper_with_the_environment_they_had) {
    sandbox box;
    box.config(service("s", "echo at $COLOUR; exec sleep 1000", "ready = { log = \"at\" }"));
    run_options red;
    red.env = {{"COLOUR", "red"}};
    BOOST_REQUIRE(box.run({"start", "s"}, red).status == 0);
    for (int i = 0; i < scaled(10); ++i) {
        const pid_t service_pid = unit_pid(box, "s");
        box.kill_daemon_and_keeper();
        const auto next = box.run({"wait", "s", "--timeout", "20s"});
        BOOST_TEST(next.status == 0, next.text());
        BOOST_TEST(!process_lives(service_pid));
        BOOST_TEST(box.processes().size() == 2u);
    }
    const auto logs = box.run({"logs", "s", "-n", "all"});
    BOOST_TEST(count(logs.out, "at red") == static_cast<std::size_t>(scaled(10) + 1), logs.out);
}

BOOST_AUTO_TEST_CASE(U01_restart_takes_its_callers_environment) {
    sandbox box;
    box.config(service("s", "echo at $COLOUR $(printenv TERM); exec sleep 1000", "ready = { log = \"at\" }"));
    run_options red, blue;
    red.env = {{"COLOUR", "red"}};
    blue.env = {{"COLOUR", "blue"}, {"TERM", "fancy"}};
    BOOST_REQUIRE(box.run({"start", "s"}, red).status == 0);
    BOOST_REQUIRE(box.run({"restart", "s"}, blue).status == 0);
    const auto logs = box.run({"logs", "s"});
    BOOST_TEST(logs.out.find("at red\n") != std::string::npos, logs.out);
    BOOST_TEST(logs.out.find("at blue\n") != std::string::npos, logs.out);
}

BOOST_AUTO_TEST_CASE(U06_a_reload_moves_no_other_pid_and_a_changed_policy_moves_none) {
    sandbox box;
    box.config(sleeper("a") + sleeper("b") + sleeper("c"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const pid_t a = unit_pid(box, "a"), b = unit_pid(box, "b"), c = unit_pid(box, "c");
    box.config(sleeper("a", "max_restarts = 3") + "[service.b]\nrun = \"sleep 2000\"\n" +
               sleeper("d", "autostart = true"));
    const auto dry = box.run({"reload", "--dry-run"});
    BOOST_TEST(dry.out == "added   d\nremoved c\nchanged a\nchanged b\n");
    BOOST_TEST(unit_pid(box, "b") == b);
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    BOOST_TEST(comes_back(box, "b", b));
    BOOST_TEST(unit_pid(box, "a") == a);
    BOOST_TEST(wait_until([&] { return !process_lives(c); }));
    BOOST_TEST(box.run({"wait", "d", "--timeout", "20s"}).status == 0);
    BOOST_TEST(unit_member(box, "b", "restarts") == "0");
}

BOOST_AUTO_TEST_CASE(L30_hob_inside_a_service_finds_the_same_daemon_and_may_end_it) {
    sandbox box;
    box.config(service("s", "hob ping --json > ping.new && mv ping.new ping; exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/ping"); }, 20s));
    BOOST_TEST(json_at(slurp(box.project() + "/ping"), "/pid").value_or("") ==
               std::to_string(box.daemon_pid()));
    const pid_t daemon = box.daemon_pid();
    box.config(service("s", "hob shutdown > ended 2>&1"));
    BOOST_REQUIRE(box.run({"reload"}).status == 0);
    BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 30s));
    BOOST_TEST(wait_until([&] { return box.processes().empty(); }, 20s));
}

BOOST_AUTO_TEST_CASE(wait_tells_ready_stopped_and_a_failure_that_lasts) {
    sandbox box;
    box.config(service("slow", "sleep 0.4; echo up; exec sleep 1000", "ready = { log = \"up\" }") +
               service("bad", "exit 1", "restart = \"never\"\nready = { delay = \"9s\" }"));
    auto waiting = box.start({"wait", "slow"});
    BOOST_TEST(box.run({"start", "slow"}).status == 0);
    BOOST_TEST(waiting.wait().status == 0);
    auto stopped = box.start({"wait", "slow", "--for", "stopped"});
    BOOST_TEST(box.run({"wait", "slow", "--for", "stopped", "--timeout", "200ms"}).status == 4);
    BOOST_TEST(box.run({"stop", "slow"}).status == 0);
    BOOST_TEST(stopped.wait().status == 0);
    box.run({"start", "bad"});
    const auto failed = box.run({"wait", "bad"});
    BOOST_TEST(failed.status == 1);
    BOOST_TEST(failed.err.find("cannot wait for 'bad': it failed, exited with status 1") != std::string::npos,
               failed.err);
    BOOST_TEST(box.run({"wait", "slow", "--for", "nothing"}).status == 2);
    BOOST_TEST(box.run({"wait", "none"}).status == 1);
}

BOOST_AUTO_TEST_CASE(on_failure_gets_the_unit_the_reason_and_the_last_lines) {
    sandbox box;
    box.config(service("s", "echo out; echo err >&2; exit 4",
                       "restart = \"never\"\non_failure = 'printf \"%s|%s|%s\" \"$HOB_UNIT\" \"$HOB_REASON\" "
                       "\"$HOB_LAST_LINES\" > told.new; mv told.new told'"));
    box.run({"start", "s"});
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/told"); }, 20s));
    const std::string told = slurp(box.project() + "/told");
    BOOST_TEST(told.starts_with("s|exited with status 4|"), told);
    BOOST_TEST(told.find("out\n") != std::string::npos, told);
    BOOST_TEST(told.find("err\n") != std::string::npos, told);
}

BOOST_AUTO_TEST_SUITE_END()
