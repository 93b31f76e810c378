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
    BOOST_TEST(plain.out.starts_with("stopped\n"), plain.out);
    BOOST_TEST(plain.err == "");
    BOOST_TEST(plain.status == 3);
    const auto json = box.run({"status", "--json"});
    BOOST_TEST(json.status == 3);
    BOOST_TEST(json_at(json.out, "/daemon/state").value_or("") == "stopped");
    BOOST_TEST(json_at(json.out, "/daemon/pid").value_or("") == "null");
    BOOST_TEST(!exists(box.pid_file()));
    box.config("");
    BOOST_TEST(box.run({"status"}).out == "stopped\n");
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/units").value_or("") == "[]");
}

const std::string all_kinds =
    "[service.web]\nrun = ['sleep', '1000']\n[service.bad]\nrun = 'exit 3'\nrestart = 'never'\nready = { "
    "delay = '20s' }\n"
    "[worker.echo]\nrun = ['cat']\nprotocol = 'lines'\n[task.good]\nrun = ['true']\n[task.wrong]\nrun = "
    "['false']\n";

BOOST_AUTO_TEST_CASE(C09_before_the_first_start_the_units_of_the_file_are_shown) {
    sandbox box;
    box.config(all_kinds);
    const auto text = box.run({"status"});
    BOOST_TEST(text.status == 3);
    for (const char* name : {"web", "bad", "echo", "good", "wrong"})
        BOOST_TEST(text.out.find(name) != std::string::npos, text.out);
    const auto json = box.run({"status", "--json"});
    BOOST_TEST(json_at(json.out, "/units/0/name").value_or("") == "web");
    BOOST_TEST(json_at(json.out, "/units/0/state").value_or("") == "stopped");
    BOOST_TEST(json_at(json.out, "/units/2/state").value_or("") == "cold");
    BOOST_TEST(json_at(json.out, "/units/3/state").value_or("") == "idle");
    BOOST_TEST(json_at(box.run({"status", "--json", "echo"}).out, "/units/0/name").value_or("") == "echo");
    BOOST_TEST(box.run({"status", "echo"}).status == 3);
    BOOST_TEST(box.run({"status", "ecko"}).status == 2);
    BOOST_TEST(!exists(box.state()));
    box.config("[service.web\n");
    const auto broken = box.run({"status", "--json"});
    BOOST_TEST(broken.status == 3);
    BOOST_TEST(json_at(broken.out, "/daemon/config_state").value_or("") == "broken");
}

BOOST_AUTO_TEST_CASE(C09_an_instance_name_that_has_never_run_is_an_error) {
    sandbox box;
    box.config(all_kinds);
    const auto unknown = box.run({"--instance", "nope", "status"});
    BOOST_TEST(unknown.status == 3);
    BOOST_TEST(unknown.out == "");
    for (const char* verb : {"logs", "runs", "stop", "reload"})
        BOOST_TEST(box.run({"--instance", "nope", verb}).err == unknown.err, verb);
    BOOST_TEST(
        unknown.err ==
        "hob: cannot find the instance 'nope': it has never run\nhint: hob list shows all instances\n");
    BOOST_REQUIRE(box.run({"--instance", "yes", "ping"}).status == 0);
    BOOST_REQUIRE(box.run({"--instance", "yes", "shutdown"}).status == 0);
    BOOST_TEST(box.run({"--instance", "yes", "status"}).out.starts_with("stopped\n"));
}

BOOST_AUTO_TEST_CASE(C09_with_names_the_exit_status_says_whether_all_are_well) {
    sandbox box;
    box.config(all_kinds);
    BOOST_REQUIRE(box.run({"start", "web"}).status == 0);
    BOOST_TEST(box.run({"start", "bad"}).status == 1);
    BOOST_TEST(box.run({"run", "good"}).status == 0);
    BOOST_TEST(box.run({"run", "wrong"}).status == 1);
    for (const char* well : {"web", "echo", "good"})
        BOOST_TEST(box.run({"status", well}).status == 0, well);
    for (const char* unwell : {"bad", "wrong"})
        BOOST_TEST(box.run({"status", unwell, "--json"}).status == 1, unwell);
    BOOST_TEST(box.run({"status", "web", "echo"}).status == 0);
    BOOST_TEST(box.run({"status", "web", "bad"}).status == 1);
    BOOST_TEST(box.run({"status", "web", "nosuch"}).status == 2);
    BOOST_TEST(box.run({"status"}).status == 0);
    BOOST_REQUIRE(box.run({"stop", "web"}).status == 0);
    BOOST_TEST(box.run({"status", "web"}).status == 1);
}

BOOST_AUTO_TEST_CASE(C09_after_a_kill_the_services_that_were_up_are_named) {
    sandbox box;
    box.config(all_kinds + "[service.db]\nrun = ['sleep', '1000']\n");
    BOOST_REQUIRE(box.run({"start", "web", "db"}).status == 0);
    box.kill_daemon_and_keeper();
    const auto killed = box.run({"status"});
    BOOST_TEST(killed.status == 3);
    BOOST_TEST(killed.out.find("up when the daemon ended: web, db; hob daemon") != std::string::npos,
               killed.out);
    const auto json = box.run({"status", "--json", "web"});
    BOOST_TEST(json_at(json.out, "/units/0/detail").value_or("") == "was up");
    BOOST_REQUIRE(box.run({"daemon"}).status == 0);
    BOOST_TEST(wait_until([&] { return box.run({"status", "web", "db"}).status == 0; }));
    BOOST_REQUIRE(box.run({"shutdown"}).status == 0);
    BOOST_TEST(box.run({"status"}).out.find("up when") == std::string::npos);
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
    BOOST_TEST(none.status == 2);
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
