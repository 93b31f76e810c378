// The wall clock jumps while a daemon starts, waits, idles and ends: only monotonic time counts.

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "harness/fault_shim.hpp"
#include "harness/sandbox.hpp"

using namespace hob::test;

namespace {

constexpr auto year = 24h * 365;
const std::vector<std::chrono::nanoseconds> jumps = {1h, -1h, year * 10, -year * 10};

// Moves the clock back and forth all the time.
class restless_clock {
public:
    explicit restless_clock(fault_shim& shim)
        : mover_([this, &shim] {
              for (std::size_t i = 0; !over_; i = (i + 1) % jumps.size()) {
                  shim.move_clock(jumps[i]);
                  let_pass(700us);
              }
              shim.move_clock(0ns);
          }) {}
    ~restless_clock() {
        over_ = true;
        mover_.join();
    }
    restless_clock(const restless_clock&) = delete;
    restless_clock& operator=(const restless_clock&) = delete;

private:
    std::atomic<bool> over_ = false;
    std::thread mover_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(fault_clock)

BOOST_AUTO_TEST_CASE(L31_the_shim_moves_the_clock_of_the_daemon) {
    sandbox box;
    fault_shim shim(box);
    shim.move_clock(year * 10);
    BOOST_REQUIRE(box.run({"ping"}, shim.options()).status == 0);
    const auto status = box.run({"status", "--json"});
    const int started = std::atoi(json_at(status.out, "/daemon/started_at").value_or("0").c_str());
    const auto today =
        std::chrono::year_month_day(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
    BOOST_TEST(started >= int(today.year()) + 9, status.out);
}

BOOST_AUTO_TEST_CASE(L31_starts_calls_and_shutdowns_survive_a_jumping_clock) {
    sandbox box;
    box.config(echo_worker());
    fault_shim shim(box);
    const restless_clock moving(shim);
    for (int i = 0; i < scaled(20); ++i) {
        for (const std::vector<std::string>& command :
             {std::vector<std::string>{"call", "echo", "echo", "[1]"},
              {"status", "--json"},
              {"reload"},
              {"logs", "-n", "3"},
              {"shutdown"}}) {
            const auto result = box.run(command, shim.options());
            BOOST_TEST(result.status == 0, command[0] << ": " << result.text());
            BOOST_TEST(result.elapsed < 8s, command[0] << ": " << result.text());
        }
        BOOST_TEST(box.processes().empty());
    }
    BOOST_TEST(box.daemon_starts() == scaled(20));
}

BOOST_AUTO_TEST_CASE(L31_a_deadline_expires_neither_early_nor_late) {
    sandbox box;
    box.config(echo_worker());
    fault_shim shim(box);
    BOOST_REQUIRE(box.run({"call", "echo", "echo", "1"}, shim.options()).status == 0);
    for (const auto jump : jumps) {
        auto call =
            box.start({"call", "--timeout", "1s", "echo", "sleep", R"({"ms":20000})"}, shim.options());
        shim.move_clock(jump);
        const auto result = call.wait();
        BOOST_TEST(result.status == 4, result.text());
        BOOST_TEST(result.elapsed >= 990ms, result.text());
        BOOST_TEST(result.elapsed < 8s, result.text());
        BOOST_TEST(box.run({"restart", "echo"}, shim.options()).status == 0);
    }
}

BOOST_AUTO_TEST_CASE(L31_an_idle_exit_happens_and_not_early) {
    for (const auto jump : jumps) {
        sandbox box;
        box.config("[daemon]\nidle_timeout = \"1500ms\"\n");
        fault_shim shim(box);
        BOOST_REQUIRE(box.run({"ping"}, shim.options()).status == 0);
        const pid_t daemon = box.daemon_pid();
        shim.move_clock(jump);
        const auto sent_at = std::chrono::steady_clock::now();
        BOOST_REQUIRE(box.run({"ping"}, shim.options()).status == 0);
        let_pass(700ms);
        const bool lives = process_lives(daemon);
        if (std::chrono::steady_clock::now() - sent_at < 1400ms) BOOST_TEST(lives);
        BOOST_TEST(wait_until([&] { return !process_lives(daemon); }, 15s));
    }
}

BOOST_AUTO_TEST_CASE(L31_a_shutdown_keeps_its_limit) {
    for (const auto jump : jumps) {
        sandbox box;
        box.config("[daemon]\nshutdown_timeout = \"2s\"\n" +
                   echo_worker("echo", "stop = { timeout = \"60s\" }"));
        fault_shim shim(box);
        auto call = box.start({"call", "echo", "sleep", R"({"ms":20000})"}, shim.options());
        BOOST_REQUIRE(wait_until([&] {
            return json_at(box.run({"status", "--json"}).out, "/units/0/state").value_or("") == "warm";
        }));
        const pid_t daemon = box.daemon_pid();
        auto end = box.start({"shutdown"}, shim.options());
        BOOST_REQUIRE(wait_until([&] { return !exists(box.socket()); }));
        shim.move_clock(jump);
        const auto result = end.wait();
        BOOST_TEST(result.status == 0, result.text());
        BOOST_TEST(result.elapsed < 10s, result.text());
        BOOST_TEST(!process_lives(daemon));
        call.wait();
    }
}

BOOST_AUTO_TEST_CASE(L31_the_crash_loop_brake_lasts_as_long_as_it_should) {
    sandbox box;
    fault_shim shim(box);
    // A directory at the socket's path makes the start fail.
    BOOST_REQUIRE(box.run({"ping"}, shim.options()).status == 0);
    BOOST_REQUIRE(box.run({"shutdown"}, shim.options()).status == 0);
    box.shell("mkdir '" + box.socket() + "'");
    for (std::size_t i = 0; i < 3; ++i) {
        shim.move_clock(jumps[i]);
        BOOST_TEST(box.run({"ping"}, shim.options()).status == 3);
    }
    const int starts = box.daemon_starts();
    for (const auto jump : jumps) {
        shim.move_clock(jump);
        const auto braked = box.run({"ping", "--json"}, shim.options());
        BOOST_TEST(json_at(braked.err, "/error/code").value_or("") == "crash_loop", braked.text());
    }
    BOOST_TEST(box.daemon_starts() == starts);
    box.shell("rmdir '" + box.socket() + "'");
    BOOST_TEST(box.run({"daemon"}, shim.options()).status == 0);
}

BOOST_AUTO_TEST_SUITE_END()
