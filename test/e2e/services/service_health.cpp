// health: a service that is ready is probed.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "fixtures/services.hpp"
#include "harness/free_port.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

const std::string quick = "every = '50ms', timeout = '2s'";

bool restarted(sandbox& box, int times = 1) {
    return wait_until([&] { return std::atoi(unit_member(box, "s", "restarts").c_str()) >= times; }, 20s);
}

std::string daemon_log(sandbox& box) { return slurp(box.daemon_log()); }

}  // namespace

BOOST_AUTO_TEST_SUITE(service_health)

BOOST_AUTO_TEST_CASE(a_service_whose_probe_fails_several_times_in_a_row_is_restarted) {
    sandbox box;
    box.config(service("s", "touch well; exec sleep 1000",
                       "ready = { exec = 'test -e well' }\nbackoff = { min = '10ms' }\n"
                       "health = { exec = 'echo x >> probes; test -e well', failures = 3, " +
                           quick + " }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_TEST(wait_until([&] { return count(slurp(box.project() + "/probes"), "x") > 5; }));
    BOOST_TEST(unit_member(box, "s", "restarts") == "0");
    box.shell("rm well");
    BOOST_TEST(restarted(box));
    BOOST_TEST(daemon_log(box).find("its health check failed 3 times in a row") != std::string::npos);
    BOOST_TEST(box.run({"wait", "s"}).status == 0);
}

BOOST_AUTO_TEST_CASE(a_server_that_answers_no_more_is_restarted_though_its_process_lives) {
    sandbox box;
    const int port = free_port();
    box.write("server.py",
              "import http.server, os\n"
              "class H(http.server.BaseHTTPRequestHandler):\n"
              "    def do_GET(self):\n"
              "        self.send_response(500 if os.path.exists('sick') else 200)\n"
              "        self.end_headers()\n"
              "os.path.exists('sick') and os.remove('sick')\n"
              "http.server.ThreadingHTTPServer(('127.0.0.1', int(os.environ['PORT'])), H).serve_forever()\n");
    box.config(
        fmt::format("[ports]\nPORT = {}\n[service.s]\nrun = 'python3 server.py'\n"
                    "ready = {{ tcp = '${{PORT}}' }}\nbackoff = {{ min = '10ms' }}\n"
                    "health = {{ http = 'http://127.0.0.1:${{PORT}}/', failures = 2, every = '50ms' }}\n",
                    port));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    box.shell("touch sick");
    BOOST_TEST(restarted(box));
    BOOST_TEST(daemon_log(box).find("answers with status 500") != std::string::npos);
    BOOST_REQUIRE(box.run({"wait", "s"}).status == 0);
    // It is stopped by a debugger: it accepts connections, and says nothing.
    ::kill(std::atoi(unit_member(box, "s", "pid").c_str()), SIGSTOP);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "restarts") == "2"; }, 30s));
}

BOOST_AUTO_TEST_CASE(one_failure_among_successes_is_shown_and_does_no_harm) {
    sandbox box;
    box.config(service("s", "exec sleep 1000",
                       "health = { exec = 'test ! -e sick', failures = 1000, " + quick + " }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    box.shell("touch sick");
    const auto detail = [&] { return unit_member(box, "s", "detail"); };
    BOOST_TEST(wait_until([&] { return detail().find("unhealthy (") != std::string::npos; }), detail());
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
    box.shell("rm sick");
    BOOST_TEST(wait_until([&] { return detail().find("unhealthy (") == std::string::npos; }), detail());
    BOOST_TEST(unit_member(box, "s", "restarts") == "0");
}

BOOST_AUTO_TEST_CASE(with_restart_never_it_has_failed_and_says_why) {
    sandbox box;
    box.config(service("s", "exec sleep 1000",
                       "restart = 'never'\nhealth = { exec = 'exit 4', failures = 1, " + quick + " }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "s", "detail").find("its health check failed once: ") != std::string::npos,
               unit_member(box, "s", "detail"));
}

BOOST_AUTO_TEST_CASE(a_probe_that_hangs_has_failed_and_leaves_nothing) {
    sandbox box;
    box.config(service("s", "exec sleep 1000",
                       "restart = 'never'\nhealth = { exec = 'sleep 1000', failures = 2, every = '50ms', "
                       "timeout = '100ms' }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "s", "detail").find("no answer within 100ms") != std::string::npos);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_stop_does_not_wait_for_a_probe) {
    sandbox box;
    box.config(service("s", "exec sleep 1000",
                       "health = { exec = 'touch probing; sleep 1000', every = '10ms', timeout = '60s' }"));
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/probing"); }));
    const auto stopped = box.run({"stop", "s"});
    BOOST_TEST(stopped.status == 0);
    BOOST_TEST(stopped.elapsed < 20s);
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
