// Repeated shutdowns and restarts beside clients, none of which may fail.

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>

#include "fixtures/pinging.hpp"
#include "harness/raw_client.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

BOOST_AUTO_TEST_SUITE(stress_restart)

BOOST_AUTO_TEST_CASE(L14_shutdown_and_ping_in_turn_never_fail) {
    sandbox box;
    const int rounds = scaled(500);
    run_options patient;
    patient.limit = 240s;
    const auto result = box.shell(
        "for i in $(seq " + std::to_string(rounds) +
            "); do hob shutdown >/dev/null || { echo shutdown $i; exit 1; }; hob ping >/dev/null || { "
            "echo ping $i; exit 1; }; done",
        patient);
    BOOST_TEST(result.status == 0, result.text());
    BOOST_TEST(box.daemon_starts() == rounds);
}

BOOST_AUTO_TEST_CASE(L14_restarts_beside_eight_pinging_clients_fail_nobody) {
    sandbox box;
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    std::vector<background> clients;
    for (int i = 0; i < 8; ++i)
        clients.push_back(start_pinging(box, "hob ping"));
    const int rounds = scaled(60);
    for (int i = 0; i < rounds; ++i) {
        const auto restart = box.run({"restart", "--daemon"});
        BOOST_TEST(restart.status == 0, i << ": " << restart.text());
    }
    box.write(box.root() + "/stop", "");
    for (auto& client : clients) {
        const auto result = client.wait();
        BOOST_TEST(result.status == 0, result.text());
    }
}

BOOST_AUTO_TEST_CASE(L14_calls_to_a_worker_beside_restarts_fail_nobody) {
    sandbox box;
    box.config(echo_worker());
    BOOST_REQUIRE(box.run({"ping"}).status == 0);
    std::vector<background> clients;
    for (int i = 0; i < 3; ++i)
        clients.push_back(start_pinging(box, "hob call echo echo 1"));
    const int rounds = scaled(20);
    for (int i = 0; i < rounds; ++i) {
        const auto restart = box.run({"restart", "--daemon"});
        BOOST_TEST(restart.status == 0, i << ": " << restart.text());
    }
    box.write(box.root() + "/stop", "");
    for (auto& client : clients) {
        const auto result = client.wait();
        BOOST_TEST(result.status == 0, result.text());
    }
}

BOOST_AUTO_TEST_CASE(D10_memory_and_descriptors_are_flat_after_many_calls_and_reconnects) {
    sandbox box;
    box.config(echo_worker());
    BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}).status == 0);
    const pid_t daemon = box.daemon_pid();
    const auto calls = [&](int pings, int worker_calls, int connections) {
        raw_client raw(box.socket());
        raw.line();
        // In batches, as a busy client has many requests in flight.
        for (int done = 0; done < pings; done += 100) {
            for (int i = 0; i < 100; ++i)
                raw.request(std::to_string(i), "hob.ping");
            for (int i = 0; i < 100; ++i)
                raw.reply();
        }
        for (int done = 0; done < worker_calls; done += 50) {
            for (int i = 0; i < 50; ++i) {
                raw.request(std::to_string(i), "worker.call",
                            R"({"unit":"echo","method":"echo","params":[1.5,"x"]})");
            }
            for (int i = 0; i < 50; ++i)
                raw.reply();
        }
        for (int i = 0; i < connections; ++i) {
            raw_client again(box.socket());
            again.request("1", "hob.ping");
            again.reply();
        }
    };
    calls(5000, 1000, 500);
    BOOST_REQUIRE(wait_until([&] { return open_descriptors(daemon) > 0; }));
    const int descriptors = open_descriptors(daemon);
    const long resident = std::atol(proc_status(daemon, "VmRSS").c_str());
    calls(scaled(100'000), scaled(20'000), scaled(10'000));
    BOOST_TEST(wait_until([&] { return open_descriptors(daemon) <= descriptors; }),
               descriptors << " descriptors became " << open_descriptors(daemon));
    const long after = std::atol(proc_status(daemon, "VmRSS").c_str());
    const long slack_kib = sanitized() ? 65536 : 512;
    BOOST_TEST(after <= resident + slack_kib, resident << " KiB became " << after << " KiB");
    BOOST_TEST(box.daemon_pid() == daemon);
}

BOOST_AUTO_TEST_SUITE_END()
