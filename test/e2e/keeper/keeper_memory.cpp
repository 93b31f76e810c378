// What the keeper of many services costs.

#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <sstream>
#include <string>

#include "fixtures/daemon_death.hpp"
#include "fixtures/services.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

constexpr int services = 300;
// At most 128 KiB without services and 512 KiB with a thousand.
constexpr int most_idle_kib = 128;
constexpr int most_kib = 128 + (512 - 128) * services / 1000;

int anonymous_kib(pid_t pid) {
    std::istringstream lines(slurp("/proc/" + std::to_string(pid) + "/smaps_rollup"));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with("Anonymous:")) return std::atoi(line.c_str() + 10);
    }
    return 0;
}

run_options patiently() {
    run_options options;
    options.limit = 120s;
    return options;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(keeper_memory)

BOOST_AUTO_TEST_CASE(K31_the_memory_of_a_keeper_of_many_services_stays_small) {
    if (sanitized()) {
        BOOST_TEST_MESSAGE("not possible here: a sanitized program needs more memory");
        return;
    }
    sandbox box;
    std::string text;
    for (int i = 0; i < services; ++i)
        text += "[service.service" + std::to_string(1000 + i) + "]\nrun = \"exec sleep 100000\"\n";
    box.config(text);
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    const pid_t keeper = box.keeper_pid();
    const int idle = anonymous_kib(keeper);
    BOOST_TEST(idle > 0);
    BOOST_TEST(idle <= most_idle_kib);
    for (int round = 0; round < 3; ++round) {
        const auto started = box.run({"start"}, patiently());
        BOOST_REQUIRE_MESSAGE(started.status == 0, started.text());
        BOOST_TEST(wait_until([&] { return anonymous_kib(keeper) <= most_kib; }), "round " << round);
        if (round == 0) kill_daemon(box);
        BOOST_TEST(anonymous_kib(keeper) <= most_kib, "round " << round);
        BOOST_REQUIRE(box.run({"stop"}, patiently()).status == 0);
        BOOST_TEST(wait_until([&] { return anonymous_kib(keeper) <= most_kib; }), "round " << round);
    }
    BOOST_TEST(box.keeper_pid() == keeper);
}

BOOST_AUTO_TEST_SUITE_END()
