// hob down: the same as shutdown.

#include <boost/test/unit_test.hpp>

#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(down)

BOOST_AUTO_TEST_CASE(it_ends_the_daemon_and_its_units_and_is_content_without_one) {
    sandbox box;
    box.config(service("web", "exec sleep 1000"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const auto first = box.run({"down"});
    BOOST_TEST(first.status == 0, first.text());
    BOOST_TEST(first.out.find("the daemon has ended") != std::string::npos, first.out);
    BOOST_TEST(box.processes().empty());
    const auto second = box.run({"down"});
    BOOST_TEST(second.status == 0, second.text());
    BOOST_TEST(second.out == "no daemon was running\n");
}

BOOST_AUTO_TEST_CASE(now_kills) {
    sandbox box;
    box.config(service("deaf", "trap '' TERM; while :; do sleep 0.1; done", "stop.timeout = '60s'"));
    BOOST_REQUIRE(box.run({"start"}).status == 0);
    const auto down = box.run({"down", "--now", "--json"});
    BOOST_TEST(json_at(down.out, "/state").value_or("") == "stopped", down.text());
    BOOST_TEST(down.elapsed < 20s);
    BOOST_TEST(box.processes().empty());
}

BOOST_AUTO_TEST_SUITE_END()
