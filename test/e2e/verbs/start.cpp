#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using hob::test::json_at;
using hob::test::sandbox;

namespace {

const std::string config =
    "[worker.w]\nrun = [\"python3\", \"" + std::string(HOB_SOURCE_DIR) +
    "/test/fixtures/rpc_worker.py\"]\nprotocol = \"jsonrpc\"\n[service.s]\nrun = \"true\"\n";

}  // namespace

BOOST_AUTO_TEST_SUITE(start)

BOOST_AUTO_TEST_CASE(a_started_worker_is_warm) {
    sandbox box;
    box.config(config);
    const auto ran = box.run({"start", "w"});
    BOOST_TEST_CONTEXT(ran.text()) {
        BOOST_TEST(ran.status == 0);
        BOOST_TEST(ran.out.starts_with("w  warm (pid "));
    }
}

BOOST_AUTO_TEST_CASE(a_unit_that_is_not_there_says_so) {
    sandbox box;
    box.config(config);
    const auto unknown = box.run({"start", "v"});
    BOOST_TEST(unknown.status == 1);
    BOOST_TEST(unknown.err.starts_with("hob: cannot start 'v': there is no such unit"));
}

BOOST_AUTO_TEST_CASE(C10_a_deadline_says_which_units_were_waited_for) {
    sandbox box;
    box.config(
        "[service.db]\nrun = 'echo booting; exec sleep 1000'\nready = { log = 'never' }\n"
        "[service.web]\nrun = ['sleep', '1000']\nafter = ['db']\n[worker.slow]\nrun = ['sleep', '1000']\n"
        "protocol = 'lsp'\n");
    const auto late = box.run({"--timeout", "2s", "start", "web"});
    BOOST_TEST_CONTEXT(late.text()) {
        BOOST_TEST(late.status == 4);
        BOOST_TEST(late.err.find("hob: cannot start 'web': the deadline is over; ") != std::string::npos);
        BOOST_TEST(late.err.find("'db' is starting for ") != std::string::npos);
        BOOST_TEST(late.err.find("'web' is waiting for ") != std::string::npos);
        BOOST_TEST(late.err.find("booting") != std::string::npos);
        BOOST_TEST(late.err.find("unit.start") == std::string::npos);
    }
    const auto json = box.run({"--json", "--timeout", "2s", "start", "web"});
    BOOST_TEST_CONTEXT(json.text()) {
        BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "timeout");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/name").value_or("") == "db");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/state").value_or("") == "starting");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/lines/0").value_or("") == "booting");
        BOOST_TEST(json_at(json.err, "/error/detail/units/1/name").value_or("") == "web");
    }
    const auto waited = box.run({"--timeout", "1s", "wait", "db"});
    BOOST_TEST(
        waited.err.find("cannot wait for 'db': the deadline is over; 'db' is starting") != std::string::npos,
        waited.err);
    const auto capable = box.run({"--timeout", "1s", "call", "slow", "--capabilities"});
    BOOST_TEST(capable.status == 4);
    BOOST_TEST(capable.err.find("worker.") == std::string::npos, capable.err);
}

BOOST_AUTO_TEST_CASE(C10_every_unit_that_failed_is_named_with_its_lines) {
    sandbox box;
    box.config(
        "[service.a]\nrun = 'echo alpha; exit 3'\nrestart = 'never'\n"
        "[service.b]\nrun = 'echo beta; exit 4'\nrestart = 'never'\n[service.c]\nrun = ['sleep', '1000']\n");
    const auto failed = box.run({"start"});
    BOOST_TEST_CONTEXT(failed.text()) {
        BOOST_TEST(failed.status == 1);
        for (const char* part : {"'a'", "status 3", "'b'", "status 4", "alpha", "beta"})
            BOOST_TEST_CONTEXT(part) { BOOST_TEST(failed.err.find(part) != std::string::npos); }
        BOOST_TEST(failed.err.find("'c'") == std::string::npos);
    }
    const auto json = box.run({"--json", "start", "a", "b"});
    BOOST_TEST_CONTEXT(json.text()) {
        BOOST_TEST(json_at(json.err, "/error/code").value_or("") == "unit_failed");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/name").value_or("") == "a");
        BOOST_TEST(json_at(json.err, "/error/detail/units/0/lines/0").value_or("") == "alpha");
        BOOST_TEST(json_at(json.err, "/error/detail/units/1/name").value_or("") == "b");
        BOOST_TEST(json_at(json.err, "/error/detail/units/1/lines/0").value_or("") == "beta");
    }
}

BOOST_AUTO_TEST_CASE(U01_restart_gives_a_worker_its_callers_environment) {
    sandbox box;
    box.config(config);
    hob::test::run_options red, blue;
    red.env = {{"COLOUR", "red"}};
    blue.env = {{"COLOUR", "blue"}};
    BOOST_TEST(box.run({"call", "w", "env", "\"COLOUR\""}, red).out == "\"red\"\n");
    BOOST_TEST(box.run({"call", "w", "env", "\"COLOUR\""}, blue).out == "\"red\"\n");
    BOOST_TEST(box.run({"restart", "w"}, blue).status == 0);
    BOOST_TEST(box.run({"call", "w", "env", "\"COLOUR\""}).out == "\"blue\"\n");
}

BOOST_AUTO_TEST_SUITE_END()
