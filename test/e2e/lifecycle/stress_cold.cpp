// Many clients at once without a daemon start exactly one.

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <set>

#include "harness/sandbox.hpp"
#include "paths.hpp"

using namespace hob::test;

namespace {

constexpr int clients_per_round = 64;

// The pids of every process that logged as a daemon.
std::set<std::string> pids_that_were_ready(const sandbox& box) {
    std::set<std::string> pids;
    std::string text = slurp(box.daemon_log());
    for (int i = 1; i <= 9; ++i)
        text += slurp(box.daemon_log() + "." + std::to_string(i));
    for (std::size_t at = 0; at < text.size();) {
        const auto end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        if (json_at(line, "/msg").value_or("") == "daemon ready")
            pids.insert(json_at(line, "/pid").value_or("?"));
        at = end + 1;
    }
    return pids;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(stress_cold)

BOOST_AUTO_TEST_CASE(L05_sixty_four_cold_clients_make_one_daemon_round_after_round) {
    sandbox box;
    const int rounds = number_from_env("HOB_TEST_ROUNDS", 200);
    std::set<std::string> all_pids;
    int failed = 0;
    for (int round = 1; round <= rounds; ++round) {
        std::vector<background> clients;
        for (int i = 0; i < clients_per_round; ++i) {
            const bool by_hand = round % 10 == 0 && i == clients_per_round / 2;
            clients.push_back(box.start({by_hand ? "daemon" : "ping", "--json"}));
        }
        std::set<std::string> pids;
        for (int i = 0; i < clients_per_round; ++i) {
            const auto result = clients[static_cast<std::size_t>(i)].wait();
            if (result.status != 0) {
                BOOST_ERROR("round " << round << ": " << result.text());
                ++failed;
            } else if (const auto pid = json_at(result.out, "/pid")) {
                pids.insert(*pid);
            }
        }
        BOOST_TEST(pids.size() == 1u, "round " << round << ": " << pids.size() << " daemons answered");
        all_pids.insert(pids.begin(), pids.end());
        const auto shutdown = box.run({"shutdown"});
        BOOST_TEST(shutdown.status == 0, shutdown.text());
        BOOST_REQUIRE(failed < 20);
    }
    BOOST_TEST(box.daemon_starts() == rounds);
    BOOST_TEST((pids_that_were_ready(box) == all_pids));
}

BOOST_AUTO_TEST_CASE(L05_rounds_that_end_by_kill_leave_no_trace_that_matters) {
    sandbox box;
    const int rounds = std::max(2, number_from_env("HOB_TEST_ROUNDS", 200) / 20);
    for (int round = 0; round < rounds; ++round) {
        std::vector<background> clients;
        for (int i = 0; i < clients_per_round; ++i)
            clients.push_back(box.start({"ping", "--json"}));
        std::set<std::string> pids;
        for (auto& client : clients) {
            const auto result = client.wait();
            BOOST_TEST(result.status == 0, "round " << round << ": " << result.text());
            pids.insert(json_at(result.out, "/pid").value_or("none"));
        }
        BOOST_TEST(pids.size() == 1u);
        box.kill_daemon_and_keeper();
    }
    BOOST_TEST(box.daemon_starts() == rounds);
}

BOOST_AUTO_TEST_CASE(L32_a_foreign_flock_for_an_instant_fails_nobody) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    run_options storm;
    storm.program = HOB_PROGRAMS "/flock_storm";
    auto storms = box.start({box.pid_file(), "0"}, storm);
    const int rounds = scaled(60);
    for (int i = 0; i < rounds; ++i) {
        const auto shutdown = box.run({"shutdown"});
        BOOST_TEST(shutdown.status == 0, i << ": " << shutdown.text());
        std::vector<background> clients;
        for (int c = 0; c < 4; ++c)
            clients.push_back(box.start({"ping", "--json"}));
        std::set<std::string> pids;
        for (auto& client : clients) {
            const auto result = client.wait();
            BOOST_TEST(result.status == 0, i << ": " << result.text());
            pids.insert(json_at(result.out, "/pid").value_or("none"));
        }
        BOOST_TEST(pids.size() == 1u);
    }
    storms.kill_and_reap();
    auto counted = box.start({box.pid_file(), "20000"}, storm);
    while (counted.running())
        BOOST_TEST(box.run({"ping"}).status == 0);
    BOOST_TEST(box.daemon_starts() == rounds + 1);
}

BOOST_AUTO_TEST_SUITE_END()
