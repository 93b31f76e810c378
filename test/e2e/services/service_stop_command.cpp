// stop = { run = … }: the command that ends a unit.

#include <fmt/format.h>
#include <pwd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// A service that ignores the stop signal and ends when there is a file `end`.
std::string deaf(const std::string& stop, const std::string& more = {}) {
    return service("s", "trap '' TERM; rm -f end; echo up; until test -e end; do sleep 0.05; done; echo bye",
                   "ready = { log = 'up' }\nstop = { " + stop + " }\n" + more);
}

std::string log_of(sandbox& box, const std::string& unit) {
    return box.run({"logs", unit, "-v", "-n", "all"}).out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_stop_command)

BOOST_AUTO_TEST_CASE(the_command_ends_the_service_and_its_output_is_in_the_log) {
    sandbox box;
    box.config(deaf("run = 'echo ending $WORD; touch end', timeout = '60s'", "env = { WORD = 'well' }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto stopped = box.run({"stop", "s"});
    BOOST_TEST(stopped.status == 0, stopped.text());
    BOOST_TEST(stopped.err.empty(), stopped.err);
    BOOST_TEST(stopped.elapsed < 20s);
    BOOST_TEST(unit_member(box, "s", "exit") == "0");
    const std::string log = log_of(box, "s");
    BOOST_TEST(log.find("ending well\n") != std::string::npos, log);
    BOOST_TEST(log.find("bye\n") != std::string::npos, log);
}

BOOST_AUTO_TEST_CASE(a_command_that_fails_is_told_and_the_signal_follows) {
    sandbox box;
    box.config(
        service("s", "exec sleep 1000", "stop = { run = 'echo no; exit 3', timeout = '60s' }") +
        service("missing", "exec sleep 1000", "stop = { run = ['no-such-program'], timeout = '60s' }"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const auto stopped = box.run({"stop"});
    BOOST_TEST(stopped.elapsed < 20s);
    BOOST_TEST(stopped.err.find(
                   "'s' was ended by SIGTERM: its stop command 'echo no; exit 3' exited with status 3") !=
                   std::string::npos,
               stopped.text());
    BOOST_TEST(stopped.err.find("could not be started") != std::string::npos, stopped.text());
    BOOST_TEST(unit_member(box, "s", "exit") == "signal 15");
    BOOST_TEST(log_of(box, "s").find("no\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_command_that_hangs_is_killed_with_the_service_after_the_timeout) {
    sandbox box;
    box.config(deaf("run = 'sleep 1000 & sleep 1000', timeout = '1s'"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto stopped = box.run({"stop", "s"});
    BOOST_TEST(stopped.elapsed < 20s);
    BOOST_TEST(stopped.err.find("did not end within 1s") != std::string::npos, stopped.text());
    BOOST_TEST(unit_member(box, "s", "exit") == "signal 9");
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_command_that_does_nothing_leaves_the_timeout_and_sigkill) {
    sandbox box;
    box.config(deaf("run = 'true', timeout = '1s'"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const auto stopped = box.run({"stop", "s"});
    BOOST_TEST(
        stopped.err.find("killed: it did not end within 1s of its stop command 'true'") != std::string::npos,
        stopped.text());
}

BOOST_AUTO_TEST_CASE(a_shutdown_now_does_not_wait_for_the_command) {
    sandbox box;
    box.config(deaf("run = 'echo began; sleep 1000', timeout = '60s'"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    auto stop = box.start({"stop", "s"});
    BOOST_REQUIRE(wait_until([&] { return log_of(box, "s").find("began") != std::string::npos; }));
    BOOST_TEST(box.run({"shutdown", "--now"}).elapsed < 20s);
    BOOST_TEST(box.processes().empty());
    stop.kill_and_reap();
}

BOOST_AUTO_TEST_CASE(restart_runs_it_and_a_crash_does_not) {
    sandbox box;
    box.config(deaf("run = 'echo ending; touch end', timeout = '60s'", "backoff = { min = '10ms' }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_TEST(box.run({"restart", "s"}).status == 0);
    BOOST_TEST(count(log_of(box, "s"), "ending") == 1u);
    ::kill(std::atoi(unit_member(box, "s", "pid").c_str()), SIGKILL);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "restarts") == "1"; }, 20s));
    BOOST_TEST(count(log_of(box, "s"), "ending") == 1u);
}

BOOST_AUTO_TEST_CASE(pg_ctl_stops_postgresql_in_order) {
    const std::string bin = "/usr/lib/postgresql/15/bin";
    if (!exists(bin + "/postgres") && !require_program("postgres")) return;
    sandbox_options options;
    const passwd* owner = ::geteuid() == 0 ? ::getpwnam("postgres") : nullptr;
    if (owner != nullptr) options.uid = owner->pw_uid;
    sandbox box(options);
    const int port = free_port();
    box.config(
        fmt::format("[service.db]\nrun = '{0}/postgres -D data -p {1} -k {2} -c listen_addresses=127.0.0.1'\n"
                    "ready = {{ exec = '{0}/pg_isready -q -h 127.0.0.1 -p {1}', timeout = '60s' }}\n"
                    "stop = {{ run = '{0}/pg_ctl stop -D data -m fast', timeout = '30s' }}\n",
                    bin, port, box.root()));
    run_options patient;
    patient.limit = 120s;
    BOOST_REQUIRE(box.shell(bin + "/initdb -A trust -N -D data >init.log 2>&1", patient).status == 0);
    BOOST_REQUIRE(box.run({"start"}, patient).status == 0);
    // A client that stays connected is no reason to wait.
    auto client = box.start({"-h", "127.0.0.1", "-p", std::to_string(port), "-d", "postgres", "-c",
                             "select 'connected'", "-c", "select pg_sleep(1000)"},
                            [&] {
                                run_options as_client;
                                as_client.program = bin + "/psql";
                                return as_client;
                            }());
    BOOST_REQUIRE(client.read_line(30s).has_value());
    const auto stopped = box.run({"stop"}, patient);
    BOOST_TEST(stopped.status == 0, stopped.text());
    BOOST_TEST(stopped.err.empty(), stopped.err);
    const std::string log = log_of(box, "db");
    BOOST_TEST(log.find("database system is shut down") != std::string::npos, log);
    BOOST_TEST(log.find("server stopped") != std::string::npos, log);
    client.kill_and_reap();
}

BOOST_AUTO_TEST_SUITE_END()
