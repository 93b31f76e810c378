#include <signal.h>

#include <boost/test/unit_test.hpp>

#include "harness/calc_project.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(prompt)

BOOST_AUTO_TEST_CASE(C05_without_a_daemon_it_prints_nothing_and_starts_nothing) {
    sandbox box;
    make_calc_project(box);
    const auto done = box.run({"prompt"});
    BOOST_TEST(done.out == "");
    BOOST_TEST(done.err == "");
    BOOST_TEST(done.status == 0);
    BOOST_TEST(!exists(box.pid_file()));
}

BOOST_AUTO_TEST_CASE(it_counts_what_is_up) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    BOOST_TEST(box.run({"prompt"}).out == "hob\n");
    box.run({"call", "echo", "hello"});
    BOOST_TEST(wait_until([&] { return box.run({"prompt"}).out == "hob:1\n"; }));
    BOOST_TEST(json_at(box.run({"prompt", "--json"}).out, "/up").value_or("") == "1");
    box.run({"shutdown"});
    BOOST_TEST(box.run({"prompt"}).out == "");
}

BOOST_AUTO_TEST_CASE(it_reads_only_the_page) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    const pid_t daemon = box.daemon_pid();
    BOOST_REQUIRE(daemon > 0);
    ::kill(daemon, SIGSTOP);
    const auto done = box.run({"prompt"});
    ::kill(daemon, SIGCONT);
    BOOST_TEST(done.out == "hob\n");
}

BOOST_AUTO_TEST_CASE(the_page_of_a_killed_daemon_is_ignored) {
    sandbox box;
    make_calc_project(box);
    box.run({"ping"});
    box.kill_daemon_and_keeper();
    BOOST_TEST(box.run({"prompt"}).out == "");
    box.shell("head -c 4096 /dev/urandom > '" + box.page() + "'");
    BOOST_TEST(box.run({"prompt"}).out == "");
}

BOOST_AUTO_TEST_SUITE_END()
