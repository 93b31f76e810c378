// What the daemon tells the service manager that started it.

#include <signal.h>

#include <boost/test/unit_test.hpp>
#include <regex>

#include "fixtures/socket_manager.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(service_manager)

BOOST_AUTO_TEST_CASE(it_is_told_of_ready_reload_and_stop) {
    sandbox box;
    box.config(echo_worker() + "[daemon]\nshutdown_timeout = \"7s\"\n");
    socket_manager manager(box);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return manager.says("notify READY=1|STATUS=serving " + box.project()); }),
               manager.log());
    BOOST_TEST(!manager.says("WATCHDOG"));
    box.config(echo_worker() + echo_worker("second") + "[daemon]\nshutdown_timeout = \"7s\"\n");
    BOOST_TEST(box.run({"reload"}).status == 0);
    BOOST_TEST(wait_until([&] { return count(manager.log(), "READY=1") == 2; }), manager.log());
    const std::string log = manager.log();
    BOOST_TEST(
        std::regex_search(log, std::regex("notify RELOADING=1\\|MONOTONIC_USEC=[1-9][0-9]+\\|STATUS=")), log);
    BOOST_TEST(log.find("RELOADING=1") < log.rfind("READY=1"));
    ::kill(box.daemon_pid(), SIGHUP);
    BOOST_TEST(wait_until([&] { return count(manager.log(), "READY=1") == 3; }), manager.log());
    BOOST_TEST(box.run({"shutdown"}).status == 0);
    // The limit of the configuration, and the time for the last exits.
    BOOST_TEST(
        wait_until([&] { return manager.says("notify STOPPING=1|EXTEND_TIMEOUT_USEC=9000000|STATUS="); }),
        manager.log());
}

BOOST_AUTO_TEST_CASE(a_reload_that_fails_ends_in_ready_too) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box);
    BOOST_TEST(box.run({"ping"}).status == 0);
    box.config("broken");
    BOOST_TEST(box.run({"reload"}).status == 2);
    BOOST_TEST(wait_until([&] { return count(manager.log(), "READY=1") == 2; }), manager.log());
    BOOST_TEST(manager.says("RELOADING=1"));
}

BOOST_AUTO_TEST_CASE(its_watchdog_hears_from_the_daemon) {
    sandbox box;
    box.config(echo_worker());
    socket_manager manager(box, {"WATCHDOG_USEC=200000"});
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(wait_until([&] { return count(manager.log(), "notify WATCHDOG=1") >= 5; }), manager.log());
}

BOOST_AUTO_TEST_CASE(units_get_nothing_of_the_service_manager) {
    sandbox box;
    box.config(
        "[task.look]\nrun = [\"env\"]\n[service.look-too]\nrun = ['sh', '-c', 'env >env.txt; touch up; exec "
        "sleep 1000']\n"
        "ready = { exec = ['test', '-e', 'up'] }\n");
    socket_manager manager(box, {"WATCHDOG_USEC=30000000"});
    const auto started = box.run({"start", "look-too"});
    BOOST_TEST(started.status == 0, started.text());
    for (const std::string& seen : {box.run({"run", "look"}).out, slurp(box.project() + "/env.txt")}) {
        BOOST_TEST(seen.find("PATH=") != std::string::npos);
        for (const char* name : {"NOTIFY_SOCKET", "LISTEN_", "WATCHDOG_"})
            BOOST_TEST(seen.find(name) == std::string::npos, seen);
    }
}

BOOST_AUTO_TEST_CASE(a_daemon_that_a_command_starts_tells_nobody) {
    sandbox box;
    box.config(echo_worker());
    run_options options;
    options.env = {{"NOTIFY_SOCKET", box.root() + "/nobody"}, {"WATCHDOG_USEC", "1000"}};
    BOOST_TEST(box.run({"ping"}, options).status == 0);
    BOOST_TEST(slurp(box.daemon_log()).find("cannot notify") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_manager_that_is_gone_does_not_stop_the_daemon) {
    sandbox box;
    box.config(echo_worker());
    run_options options;
    options.env = {{"NOTIFY_SOCKET", box.root() + "/nobody"}};
    auto daemon = box.start({"daemon", "--foreground"}, options);
    BOOST_TEST(wait_until([&] { return exists(box.page()); }));
    BOOST_TEST(box.run({"ping"}).status == 0);
    daemon.signal(SIGTERM);
    const auto done = daemon.wait();
    BOOST_TEST(done.status == 0, done.text());
    BOOST_TEST(done.err.find("cannot notify the service manager") != std::string::npos, done.err);
}

BOOST_AUTO_TEST_SUITE_END()
