#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using hob::test::sandbox;

namespace {

const std::string config = "[worker.w]\nrun = [\"python3\", \"" + std::string(HOB_SOURCE_DIR) +
                           "/test/fixtures/rpc_worker.py\"]\nprotocol = \"jsonrpc\"\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(stop)

BOOST_AUTO_TEST_CASE(without_a_daemon_it_exits_3_and_starts_none) {
    sandbox box;
    box.config(config);
    const auto ran = box.run({"stop", "w"});
    BOOST_TEST(ran.status == 3);
    BOOST_TEST(ran.err == "hob: cannot stop 'w': no daemon is running\n");
    BOOST_TEST(box.run({"status"}).status == 3);
}

BOOST_AUTO_TEST_CASE(D02_nothing_of_a_stopped_worker_is_left_and_it_is_held_until_start) {
    sandbox box;
    box.config(config);
    const auto pid = static_cast<pid_t>(std::stol(box.run({"call", "w", "pid"}).out));
    const auto away = static_cast<pid_t>(std::stol(box.run({"call", "w", "spawn_away", "[\"1000\"]"}).out));
    BOOST_TEST(box.run({"stop", "w"}).out == "w  cold\n");
    BOOST_TEST(!hob::test::process_lives(pid));
    BOOST_TEST(!hob::test::process_lives(away));
    const auto held = box.run({"call", "w", "pid"});
    BOOST_TEST(held.status == 1);
    BOOST_TEST(held.err == "hob: cannot call 'w': it was stopped\nhint: hob start w\n");
    // Over a restart of the daemon, too.
    BOOST_TEST(box.run({"restart", "--daemon"}).status == 0);
    BOOST_TEST(box.run({"call", "w", "pid"}).status == 1);
    BOOST_TEST(box.run({"start", "w"}).status == 0);
    BOOST_TEST(box.run({"call", "w", "pid"}).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
