// hob signal, and names that stand for several units.

#include <boost/test/unit_test.hpp>

#include <string>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(verb_signal)

BOOST_AUTO_TEST_CASE(the_main_process_or_the_whole_service_gets_it) {
    sandbox box;
    box.config(
        service("s",
                "trap 'echo main' USR1; (trap 'echo child' USR1; touch up; while :; do sleep 0.05; done) & "
                "while :; do wait; done",
                "ready = { exec = \"test -e up\" }\n") +
        "[task.t]\nrun = \"true\"\n" + echo_worker());
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_TEST(box.run({"signal", "echo", "HUP"}).status == 1);  // it is cold
    BOOST_REQUIRE(box.run({"start", "echo"}).status == 0);
    BOOST_TEST(box.run({"signal", "echo", "KILL"}).status == 0);
    BOOST_TEST(wait_until([&] { return unit_member(box, "echo", "state") != "warm"; }));
    const auto said = [&](std::string_view word) { return count(box.run({"logs", "s", "--raw"}).out, word); };
    BOOST_TEST(box.run({"signal", "s", "USR1"}).status == 0);
    BOOST_TEST(wait_until([&] { return said("main\n") == 1; }));
    BOOST_TEST(box.run({"signal", "--group", "s", "SIGUSR1"}).status == 0);
    BOOST_TEST(wait_until([&] { return said("main\n") == 2 && said("child\n") == 1; }));
    BOOST_TEST(box.run({"signal", "s", "0"}).status == 2);
    BOOST_TEST(box.run({"signal", "s", "USR3"}).status == 2);
    BOOST_TEST(box.run({"signal", "t", "HUP"}).status == 1);
    BOOST_TEST(box.run({"signal", "nope", "HUP"}).status == 1);
    BOOST_REQUIRE(box.run({"stop", "s"}).status == 0);
    const auto stopped = box.run({"signal", "s", "HUP"});
    BOOST_TEST(stopped.status == 1);
    BOOST_TEST(stopped.err.find("it has no process: it is stopped") != std::string::npos);
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"signal", "s", "HUP"}).status == 3);
}

BOOST_AUTO_TEST_CASE(groups_and_patterns_name_several_units) {
    sandbox box;
    const std::string sleeps = "run = \"exec sleep 1000\"\n";
    box.config("[service.web-a]\n" + sleeps + "groups = [\"front\"]\n[service.web-b]\n" + sleeps +
               "[service.db]\n" + sleeps +
               "groups = [\"back\", \"front\"]\n[task.web-t]\nrun = \"true\"\ngroups = [\"front\"]\n");
    BOOST_TEST(box.run({"start", "web-*"}).status == 0);
    BOOST_TEST(unit_member(box, "web-b", "state") == "ready");
    BOOST_TEST(unit_member(box, "db", "state") == "stopped");
    BOOST_TEST(box.run({"stop", "web-?", "db"}).status == 0);
    BOOST_TEST(box.run({"start", "@front"}).status == 0);
    BOOST_TEST(unit_member(box, "web-a", "state") == "ready");
    BOOST_TEST(unit_member(box, "web-b", "state") == "stopped");
    BOOST_TEST(unit_member(box, "db", "state") == "ready");
    BOOST_TEST(box.run({"wait", "@front"}).status == 0);
    BOOST_TEST(box.run({"wait", "@back"}).status == 0);
    BOOST_TEST(box.run({"restart", "@back"}).status == 0);
    BOOST_TEST(json_at(box.run({"status", "web-*", "--json"}).out, "/units/1/name").value_or("") == "web-b");
    const auto none = box.run({"stop", "api-*"});
    BOOST_TEST(none.status == 1);
    BOOST_TEST(none.err.find("cannot stop 'api-*': no service matches") != std::string::npos);
    const auto typo = box.run({"stop", "@fornt"});
    BOOST_TEST(typo.status == 1);
    BOOST_TEST(typo.err.find("did you mean '@front'?") != std::string::npos);
    BOOST_TEST(box.run({"completions", "--words", "units"}).out.find("@back\tgroup\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_dependant_is_restarted_with_what_it_asks_for) {
    sandbox box;
    const std::string sleeps = "run = \"exec sleep 1000\"\nbackoff = { min = \"1ms\" }\n";
    box.config("[service.db]\n" + sleeps + "[service.web]\n" + sleeps +
               "after = [{ unit = \"db\", restart = true }]\n" + "[service.other]\n" + sleeps +
               "after = [\"db\"]\n[service.app]\n" + sleeps +
               "after = [{ unit = \"build\", restart = true }]\n[task.build]\nrun = \"true\"\n");
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const auto pid = [&](const std::string& unit) { return unit_member(box, unit, "pid"); };
    const std::string web = pid("web"), other = pid("other"), app = pid("app");
    BOOST_TEST(box.run({"signal", "db", "KILL"}).status == 0);
    BOOST_TEST(wait_until([&] { return pid("web") != web && unit_member(box, "web", "state") == "ready"; }));
    BOOST_TEST(unit_member(box, "web", "restarts") == "0");
    BOOST_TEST(pid("other") == other);
    BOOST_TEST(pid("app") == app);
    BOOST_TEST(box.run({"run", "build"}).status == 0);
    BOOST_TEST(wait_until([&] { return pid("app") != app && unit_member(box, "app", "state") == "ready"; }));
}

BOOST_AUTO_TEST_SUITE_END()
