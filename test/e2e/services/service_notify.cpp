// What a service says over its notify socket of its main process and of the time it needs.

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

// `body` is Python and may call say(TEXT).
void write_service(sandbox& box, const std::string& body, const std::string& more) {
    box.write("notify.py",
              "import os, signal, socket, sys, time\n"
              "s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
              "address = os.environ['NOTIFY_SOCKET'].replace('@', '\\0', 1)\n"
              "say = lambda text: s.sendto(text.encode(), address)\n" +
                  body);
    box.config("[service.s]\nrun = \"python3 notify.py\"\nrestart = \"never\"\n" + more);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(service_notify)

BOOST_AUTO_TEST_CASE(U48_a_successor_that_MAINPID_names_is_the_main_process) {
    if (!require_program("python3")) return;
    sandbox box;
    // As gunicorn's upgrade: the new process says that it is the main one, and the old one ends.
    write_service(box,
                  "say('READY=1')\n"
                  "while not os.path.exists('upgrade'): time.sleep(0.05)\n"
                  "if os.fork() == 0:\n"
                  "    say('MAINPID=%d' % os.getpid()); open('upgraded', 'w').close(); time.sleep(1000)\n"
                  "while not os.path.exists('leave'): time.sleep(0.05)\n",
                  "ready = { notify = true }\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    const pid_t first = std::atoi(unit_member(box, "s", "pid").c_str());
    box.write("upgrade", "");
    BOOST_REQUIRE(wait_until([&] { return exists(box.project() + "/upgraded"); }));
    BOOST_REQUIRE(wait_until([&] { return std::atoi(unit_member(box, "s", "pid").c_str()) != first; }));
    const pid_t second = std::atoi(unit_member(box, "s", "pid").c_str());
    box.write("leave", "");
    BOOST_REQUIRE(wait_until([&] { return proc_status(first, "State").find('Z') != std::string::npos; }));
    BOOST_TEST(unit_member(box, "s", "state") == "ready");
    BOOST_TEST(unit_member(box, "s", "pid") == std::to_string(second));
    // Its end is the service's, with its status.
    ::kill(second, SIGKILL);
    BOOST_TEST(wait_until([&] { return unit_member(box, "s", "state") == "failed"; }));
    BOOST_TEST(unit_member(box, "s", "exit") == "signal 9");
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(U48_a_successor_is_stopped_and_a_stranger_is_none) {
    if (!require_program("python3")) return;
    sandbox box;
    write_service(box,
                  "say('MAINPID=1')\n"
                  "if os.fork() == 0:\n"
                  "    def end(*_): open('ended', 'w').close(); sys.exit(0)\n"
                  "    signal.signal(signal.SIGTERM, end)\n"
                  "    say('MAINPID=%d\\nREADY=1' % os.getpid()); time.sleep(1000)\n"
                  "time.sleep(1)\n",
                  "ready = { notify = true }\nkill = \"mixed\"\n");
    BOOST_REQUIRE(box.run({"start", "s"}).status == 0);
    BOOST_TEST(unit_member(box, "s", "pid") != "1");
    const auto stopped = box.run({"stop", "s"});
    BOOST_TEST(stopped.status == 0, stopped.text());
    BOOST_TEST(exists(box.project() + "/ended"));
    BOOST_TEST(box.processes().size() == 1u);
}

BOOST_AUTO_TEST_CASE(U48_EXTEND_TIMEOUT_USEC_gives_a_start_and_a_stop_more_time) {
    if (!require_program("python3")) return;
    sandbox box;
    write_service(
        box,
        "def end(*_):\n"
        "    say('EXTEND_TIMEOUT_USEC=20000000'); time.sleep(1.2); open('saved', 'w').close(); sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "say('EXTEND_TIMEOUT_USEC=20000000'); time.sleep(1.2); say('READY=1'); time.sleep(1000)\n",
        "ready = { notify = true, timeout = \"1s\" }\nstop = { timeout = \"600ms\" }\n");
    const auto started = box.run({"start", "s"});
    BOOST_TEST(started.status == 0, started.text());
    const auto stopped = box.run({"stop", "s"});
    BOOST_TEST(stopped.status == 0, stopped.text());
    BOOST_TEST(stopped.err.empty(), stopped.err);
    BOOST_TEST(exists(box.project() + "/saved"));
}

BOOST_AUTO_TEST_SUITE_END()
