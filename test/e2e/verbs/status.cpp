#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(status)

BOOST_AUTO_TEST_CASE(without_a_daemon_it_prints_stopped_and_exits_3) {
    sandbox box;
    make_calc_project(box);
    const auto plain = box.run({"status"});
    BOOST_TEST(plain.out == "stopped\n");
    BOOST_TEST(plain.err == "");
    BOOST_TEST(plain.status == 3);
    const auto json = box.run({"status", "--json"});
    BOOST_TEST(json.status == 3);
    BOOST_TEST(json_at(json.out, "/daemon/state").value_or("") == "stopped");
    BOOST_TEST(json_at(json.out, "/daemon/pid").value_or("") == "null");
    BOOST_TEST(json_at(json.out, "/units").value_or("") == "[]");
    BOOST_TEST(!exists(box.pid_file()));
}

BOOST_AUTO_TEST_CASE(the_json_has_all_documented_members) {
    sandbox box;
    make_calc_project(box);
    box.run({"call", "echo", "hello"});
    const std::string json = box.run({"status", "--json"}).out;
    for (const char* member : {"/instance",          "/root",
                               "/daemon/state",      "/daemon/pid",
                               "/daemon/version",    "/daemon/protocol",
                               "/daemon/started_at", "/daemon/uptime_ms",
                               "/daemon/socket",     "/daemon/log",
                               "/daemon/config",     "/daemon/config_state",
                               "/daemon/clients",    "/daemon/rss_kib",
                               "/daemon/degraded",   "/units/1/name",
                               "/units/1/kind",      "/units/1/state",
                               "/units/1/pid",       "/units/1/since",
                               "/units/1/restarts",  "/units/1/exit",
                               "/units/1/next_at",   "/units/1/last_run"}) {
        BOOST_TEST_CONTEXT(member << " of " << json) { BOOST_TEST(json_at(json, member).has_value()); }
    }
    BOOST_TEST(json_at(json, "/instance").value_or("") == box.key());
    BOOST_TEST(json_at(json, "/root").value_or("") == box.project());
    BOOST_TEST(json_at(json, "/daemon/state").value_or("") == "running");
    BOOST_TEST(json_at(json, "/daemon/pid").value_or("") == std::to_string(box.daemon_pid()));
    BOOST_TEST(json_at(json, "/daemon/socket").value_or("") == box.socket());
    BOOST_TEST(json_at(json, "/daemon/config_state").value_or("") == "current");
    BOOST_TEST(json_at(json, "/daemon/degraded").value_or("") == "null");
    BOOST_TEST(json_at(json, "/units/0/name").value_or("") == "calc");
    BOOST_TEST(json_at(json, "/units/0/state").value_or("") == "cold");
    BOOST_TEST(json_at(json, "/units/1/name").value_or("") == "echo");
    BOOST_TEST(json_at(json, "/units/1/state").value_or("") == "warm");
}

BOOST_AUTO_TEST_CASE(the_text_shows_daemon_and_units) {
    sandbox box;
    make_calc_project(box);
    box.run({"call", "echo", "hello"});
    const auto done = box.run({"status"});
    BOOST_TEST_CONTEXT(done.text()) {
        BOOST_TEST(done.out.find("hob running") != std::string::npos);
        BOOST_TEST(done.out.find("pid " + std::to_string(box.daemon_pid())) != std::string::npos);
        BOOST_TEST(done.out.find("echo  warm") != std::string::npos);
        BOOST_TEST(done.out.find("calc  cold") != std::string::npos);
    }
}

BOOST_AUTO_TEST_CASE(shows_only_the_named_units_and_refuses_unknown_ones) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    const auto one = box.run({"status", "--json", "echo"});
    BOOST_TEST(json_at(one.out, "/units/0/name").value_or("") == "echo");
    BOOST_TEST(!json_at(one.out, "/units/1/name").has_value());
    const auto none = box.run({"status", "ecoh"});
    BOOST_TEST(none.status == 1);
    BOOST_TEST(none.out == "");
    BOOST_TEST(none.err.find("did you mean 'echo'?") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_changed_and_a_broken_file_are_reported) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    box.config("[worker.new]\nrun = [\"cat\"]\n");
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/config_state").value_or("") == "changed");
    box.config("[worker.new\n");
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/config_state").value_or("") == "broken");
}

BOOST_AUTO_TEST_CASE(L04_a_stopped_daemon_is_reported_from_its_page) {
    sandbox box;
    make_calc_project(box);
    box.run({"call", "echo", "hello"});
    const pid_t daemon = box.daemon_pid();
    BOOST_REQUIRE(daemon > 0);
    ::kill(daemon, SIGSTOP);
    const auto done = box.run({"status", "--json"});
    const auto list = box.run({"list", "--json"});
    ::kill(daemon, SIGCONT);
    BOOST_TEST_CONTEXT(done.text()) {
        BOOST_TEST(done.status == 3);
        BOOST_TEST(json_at(done.out, "/daemon/state").value_or("") == "wedged");
        BOOST_TEST(json_at(done.out, "/daemon/pid").value_or("") == std::to_string(daemon));
        BOOST_TEST(json_at(done.out, "/units/1/state").value_or("") == "warm");
        BOOST_TEST(json_at(done.err, "/error/code").value_or("") == "wedged");
        BOOST_TEST(done.err.find("stopped") != std::string::npos);
    }
    BOOST_TEST(json_at(list.out, "/0/state").value_or("") == "wedged");
    BOOST_TEST(list.elapsed < 20s);  // it does not wait for an answer
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/state").value_or("") == "running");
}

BOOST_AUTO_TEST_CASE(watching_shows_each_change_and_ends_with_the_daemon) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    auto watch = box.start({"status", "--json", "--watch"});
    const auto first = watch.read_line(10s).value_or("");
    BOOST_TEST(json_at(first, "/units/1/state").value_or("") == "cold");
    box.run({"call", "echo", "hello"});
    std::string line = first;
    while (json_at(line, "/units/1/state").value_or("warm") != "warm")
        line = watch.read_line(10s).value_or("");
    BOOST_TEST(json_at(line, "/units/1/state").value_or("") == "warm");
    box.run({"shutdown"});
    BOOST_TEST(watch.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(an_interrupt_ends_the_watch_with_success) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    auto watch = box.start({"status", "--watch"});
    watch.read_line(10s);
    watch.signal(SIGINT);
    BOOST_TEST(watch.wait().status == 0);
}

BOOST_AUTO_TEST_CASE(all_shows_every_instance) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    box.run({"--instance", "second", "ping"});
    box.run({"--instance", "second", "shutdown"});
    const auto done = box.run({"status", "--all", "--json"});
    BOOST_TEST_CONTEXT(done.text()) {
        BOOST_TEST(done.status == 0);
        BOOST_TEST(json_at(done.out, "/0/daemon/state").value_or("") == "running");
        BOOST_TEST(json_at(done.out, "/1/instance").value_or("") == "second");
        BOOST_TEST(json_at(done.out, "/1/daemon/state").value_or("") == "stopped");
    }
}

BOOST_AUTO_TEST_SUITE_END()
