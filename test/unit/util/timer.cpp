#include "util/timer.hpp"

#include <dirent.h>
#include <sys/timerfd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "util/async.hpp"

namespace {

namespace asio = boost::asio;
using hob::util::timer;
using namespace std::chrono_literals;
using outcome = boost::system::error_code;

// Whether any timerfd of this process is armed.
bool armed() {
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
        std::error_code gone;
        const auto target = std::filesystem::read_symlink(entry.path(), gone);
        if (gone || target != "anon_inode:[timerfd]") continue;
        itimerspec left{};
        if (::timerfd_gettime(std::stoi(entry.path().filename()), &left) != 0) continue;
        if (left.it_value.tv_sec != 0 || left.it_value.tv_nsec != 0) return true;
    }
    return false;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(timer_suite)

BOOST_AUTO_TEST_CASE(waits_end_in_the_order_of_expiry_and_never_early) {
    asio::io_context io;
    std::mt19937 random(7);
    std::vector<std::unique_ptr<timer>> timers;
    std::vector<timer::time_point> ended;
    for (int i = 0; i < 200; ++i) {
        const auto when = timer::clock_type::now() + std::chrono::microseconds(random() % 20000);
        timers.push_back(std::make_unique<timer>(io.get_executor(), when));
        timers.back()->async_wait([&ended, when](outcome error) {
            BOOST_TEST(!error);
            BOOST_TEST((timer::clock_type::now() >= when));
            ended.push_back(when);
        });
    }
    io.run();
    BOOST_TEST(ended.size() == 200u);
    BOOST_TEST(std::is_sorted(ended.begin(), ended.end()));
}

BOOST_AUTO_TEST_CASE(a_cancelled_wait_leaves_no_timer_armed) {
    asio::io_context io;
    timer one(io.get_executor());
    timer two(io.get_executor());
    std::optional<outcome> ended;
    one.expires_after(1h);
    two.expires_after(2h);
    one.async_wait([&](outcome error) { ended = error; });
    two.async_wait([](outcome) {});
    BOOST_TEST(armed());
    one.cancel();
    BOOST_TEST(armed());
    two.cancel();
    BOOST_TEST(!armed());
    io.run();
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST((*ended == asio::error::operation_aborted));
}

BOOST_AUTO_TEST_CASE(an_endless_wait_arms_no_timer) {
    asio::io_context io;
    timer never(io.get_executor());
    bool ended = false;
    never.async_wait([&](outcome) { ended = true; });
    BOOST_TEST(!armed());
    io.run();
    BOOST_TEST(!ended);
    never.cancel();
    io.restart();
    io.run();
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_CASE(a_timer_that_is_destroyed_ends_its_waits) {
    asio::io_context io;
    int ended = 0;
    {
        timer gone(io.get_executor());
        gone.expires_after(1h);
        for (int i = 0; i < 3; ++i)
            gone.async_wait([&](outcome error) { ended += error ? 1 : 100; });
    }
    io.run();
    BOOST_TEST(ended == 3);
}

BOOST_AUTO_TEST_CASE(an_event_loop_may_be_destroyed_with_waits_and_coroutines_in_it) {
    auto io = std::make_unique<asio::io_context>();
    bool resumed = false;
    auto work = [&resumed](asio::any_io_executor executor) -> asio::awaitable<void> {
        timer inside(executor);
        inside.expires_after(1h);
        co_await inside.async_wait(asio::use_awaitable);
        resumed = true;
    };
    hob::util::spawn(io->get_executor(), work(io->get_executor()), "waits");
    io->poll();
    io.reset();
    BOOST_TEST(!resumed);
    BOOST_TEST(!armed());
}

BOOST_AUTO_TEST_CASE(a_limit_cancels_its_work_and_a_failure_ends_the_wait) {
    asio::io_context io;
    std::optional<bool> in_time;
    bool failed = false;
    auto forever = [](asio::any_io_executor executor) -> asio::awaitable<void> {
        timer never(executor);
        co_await never.async_wait(asio::use_awaitable);
    };
    auto fails = []() -> asio::awaitable<void> {
        throw std::runtime_error("at once");
        co_return;
    };
    auto both = [&]() -> asio::awaitable<void> {
        in_time = co_await hob::util::within(20ms, forever(io.get_executor()));
        try {
            co_await hob::util::within(1h, fails());
        } catch (const std::runtime_error&) {
            failed = true;
        }
    };
    hob::util::spawn(io.get_executor(), both(), "both");
    io.run();
    BOOST_TEST((in_time == false));
    BOOST_TEST(failed);
    BOOST_TEST(!armed());
}

BOOST_AUTO_TEST_SUITE_END()
