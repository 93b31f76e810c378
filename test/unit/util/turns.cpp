#include "util/turns.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "fixtures/run_loop.hpp"
#include "util/fd.hpp"

using hob::test::run_loop;
namespace asio = boost::asio;
namespace util = hob::util;

namespace {

asio::awaitable<void> work(std::shared_ptr<util::turns> turns, std::vector<int>& log, int number) {
    co_await turns->next();
    log.push_back(number);
}

// Answers a byte, as a client would be answered.
asio::awaitable<void> serve(asio::posix::stream_descriptor& client, std::vector<int>& log) {
    co_await client.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    log.push_back(-1);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(turns)

BOOST_AUTO_TEST_CASE(each_has_its_turn_in_order_and_others_are_served_in_between) {
    run_loop loop;
    const auto turns = util::turns::make(loop.executor());
    std::vector<int> log;
    auto ends = util::make_pipe();
    asio::posix::stream_descriptor client(loop.executor(), ends.read.release());
    util::spawn(loop.executor(), serve(client, log), "client");
    loop.run(util::pause(std::chrono::milliseconds(1)));
    BOOST_REQUIRE(::write(ends.write.get(), "x", 1) == 1);
    constexpr int count = 100;
    for (int i = 0; i < count; ++i)
        util::spawn(loop.executor(), work(turns, log, i), "work");
    loop.until([&] { return log.size() == count + 1; });
    const auto served = std::find(log.begin(), log.end(), -1) - log.begin();
    BOOST_TEST(served < 10);
    std::erase(log, -1);
    for (int i = 0; i < count; ++i)
        BOOST_TEST(log[static_cast<std::size_t>(i)] == i);
}

BOOST_AUTO_TEST_CASE(one_that_is_cancelled_keeps_nobody_from_its_turn) {
    run_loop loop;
    const auto turns = util::turns::make(loop.executor());
    std::vector<int> log;
    asio::cancellation_signal cancel;
    constexpr int before = 20;
    for (int i = 0; i < before; ++i)
        util::spawn(loop.executor(), work(turns, log, i), "before");
    asio::co_spawn(loop.executor(), work(turns, log, before),
                   asio::bind_cancellation_slot(cancel.slot(), [](const std::exception_ptr&) {}));
    util::spawn(loop.executor(), work(turns, log, before + 1), "last");
    loop.until([&] { return log.size() > 5; });
    BOOST_TEST(log.size() < before);
    cancel.emit(asio::cancellation_type::terminal);
    loop.until([&] { return log.back() == before + 1; });
    BOOST_TEST(std::count(log.begin(), log.end(), before) == 0);
    BOOST_TEST(log.size() == before + 1u);
}

BOOST_AUTO_TEST_CASE(after_a_rest_the_next_goes_at_once) {
    run_loop loop;
    const auto turns = util::turns::make(loop.executor());
    std::vector<int> log;
    loop.run(work(turns, log, 1));
    loop.run(util::pause(std::chrono::milliseconds(2)));
    loop.run(work(turns, log, 2));
    BOOST_TEST((log == std::vector<int>{1, 2}));
}

BOOST_AUTO_TEST_SUITE_END()
