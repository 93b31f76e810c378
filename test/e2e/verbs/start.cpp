#include <boost/test/unit_test.hpp>

#include "harness/sandbox.hpp"
#include "paths.hpp"

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
