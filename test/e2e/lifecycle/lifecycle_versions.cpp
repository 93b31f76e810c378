// Builds of different times on one instance. HOB_SIBLING_BINARY has the same protocol and an older version
// number; HOB_NEXT_BINARY has the next protocol.

#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

run_options with(const char* program) {
    run_options options;
    options.program = program;
    return options;
}

std::string code_of(const outcome& result) { return json_at(result.err, "/error/code").value_or("none"); }

}  // namespace

BOOST_AUTO_TEST_SUITE(lifecycle_versions)

BOOST_AUTO_TEST_CASE(L25_another_version_of_the_same_protocol_talks_and_status_says_so) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}, with(HOB_SIBLING_BINARY)).status == 0);
    const pid_t daemon = box.daemon_pid();
    const auto ping = box.run({"ping", "--json"});
    BOOST_TEST(ping.status == 0, ping.text());
    BOOST_TEST(box.daemon_pid() == daemon);
    const auto status = box.run({"status"});
    BOOST_TEST((status.out + status.err).find("0.0.9") != std::string::npos, status.text());
    BOOST_TEST(json_at(box.run({"status", "--json"}).out, "/daemon/version").value_or("") == "0.0.9");
}

BOOST_AUTO_TEST_CASE(L25_an_older_daemon_at_rest_is_replaced_once) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t old = box.daemon_pid();
    const auto newer = box.run({"ping", "--json"}, with(HOB_NEXT_BINARY));
    BOOST_TEST(newer.status == 0, newer.text());
    const pid_t daemon = box.daemon_pid();
    BOOST_TEST(daemon != old);
    BOOST_TEST(json_at(newer.out, "/version").value_or("") == "99.0.0", newer.text());
    for (int i = 0; i < 5; ++i) {
        const auto older = box.run({"ping", "--json"});
        BOOST_TEST(older.status == 1, older.text());
        BOOST_TEST(code_of(older) == "version", older.text());
        BOOST_TEST(box.run({"ping"}, with(HOB_NEXT_BINARY)).status == 0);
        BOOST_TEST(box.daemon_pid() == daemon);
    }
}

BOOST_AUTO_TEST_CASE(L25_an_older_daemon_with_a_call_in_flight_is_left_alone) {
    sandbox box;
    box.config(echo_worker());
    auto call = box.start({"call", "echo", "sleep", R"({"ms":3000})"});
    BOOST_REQUIRE(wait_until([&] {
        return json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "warm";
    }));
    const pid_t daemon = box.daemon_pid();
    const auto newer = box.run({"ping", "--json"}, with(HOB_NEXT_BINARY));
    BOOST_TEST(newer.status == 1, newer.text());
    BOOST_TEST(code_of(newer) == "version", newer.text());
    BOOST_TEST(newer.err.find("hob restart") != std::string::npos, newer.text());
    const auto slept = call.wait();
    BOOST_TEST(slept.out == "\"slept\"\n", slept.text());
    BOOST_TEST(box.daemon_pid() == daemon);
}

BOOST_AUTO_TEST_CASE(L25_restart_by_a_newer_client_replaces_the_daemon) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const auto restart = box.run({"restart", "--daemon"}, with(HOB_NEXT_BINARY));
    BOOST_TEST(restart.status == 0, restart.text());
    const auto ping = box.run({"ping", "--json"}, with(HOB_NEXT_BINARY));
    BOOST_TEST(json_at(ping.out, "/version").value_or("") == "99.0.0", ping.text());
}

BOOST_AUTO_TEST_CASE(L25_the_frozen_messages_work_across_protocols) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const auto status = box.run({"status"}, with(HOB_NEXT_BINARY));  // looking: replaces nothing
    BOOST_TEST(status.elapsed < 5s);
    BOOST_TEST(box.daemon_starts() == 1);
    const auto shutdown = box.run({"shutdown"}, with(HOB_NEXT_BINARY));
    BOOST_TEST(shutdown.status == 0, shutdown.text());
    BOOST_TEST(box.daemon_pid() == 0);
}

BOOST_AUTO_TEST_CASE(L24_a_replaced_or_deleted_binary_does_not_disturb_the_daemon) {
    sandbox box;
    box.copy_binary();
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    box.copy_binary(HOB_BINARY);
    BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.daemon_pid() == daemon);
    box.shell("rm -f '" + box.binary() + "'");
    BOOST_TEST(box.run({"ping"}, with(HOB_BINARY)).status == 0);
    BOOST_TEST(box.daemon_pid() == daemon);
    const auto program = [&] { return box.shell("readlink /proc/" + std::to_string(daemon) + "/exe").out; };
    BOOST_TEST(program() != std::string(HOB_BINARY) + "\n");
    BOOST_TEST(box.run({"restart", "--daemon"}, with(HOB_BINARY)).status == 0);
    BOOST_TEST(box.daemon_pid() == daemon);
    BOOST_TEST(program() == std::string(HOB_BINARY) + "\n");
}

BOOST_AUTO_TEST_SUITE_END()
