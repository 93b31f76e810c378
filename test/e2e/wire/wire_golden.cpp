// doc/protocol.md section 7: the frozen frames of the real daemon, byte for byte.

#include <boost/test/unit_test.hpp>
#include <regex>
#include <string>

#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

std::string golden(const std::string& name) {
    return slurp(std::string(HOB_SOURCE_DIR) + "/test/golden/v1/" + name + ".json");
}

// Replaces what differs from run to run by the values in the golden files.
std::string normalised(std::string text) {
    const std::pair<const char*, const char*> rules[] = {
        {R"("pid":[0-9]+)", R"("pid":4242)"},
        {R"("version":"[^"]+")", R"("version":"0.1.0")"},
        {R"("uptime_ms":[0-9]+)", R"("uptime_ms":12345)"},
        {R"("instance":"[^"]+")", R"("instance":"demo-0123456789ab")"},
        {R"("root":"[^"]+")", R"("root":"/home/ann/demo")"},
        {R"("capabilities":\[[^\]]*\])", R"("capabilities":["a","b"])"},
    };
    for (const auto& [pattern, replacement] : rules)
        text = std::regex_replace(text, std::regex(pattern), replacement);
    return text + "\n";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(wire_golden)

BOOST_AUTO_TEST_CASE(W09_section_7_the_daemon_speaks_the_golden_bytes) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    raw_client client(box.socket());
    BOOST_TEST(normalised(client.line().value()) == golden("hello"));
    client.send(golden("ping_request"));
    BOOST_TEST(normalised(client.reply()) == golden("ping_reply"));
    client.send(golden("shutdown_request"));
    BOOST_TEST(normalised(client.reply()) == golden("shutdown_reply"));
    BOOST_TEST(wait_until([&] { return box.daemon_pid() == 0; }));
}

BOOST_AUTO_TEST_SUITE_END()
