#include "util/async.hpp"

#include <boost/test/unit_test.hpp>

#include "fixtures/run_loop.hpp"

using namespace std::chrono_literals;
using hob::test::run_loop;
namespace asio = boost::asio;
namespace util = hob::util;

namespace {

asio::awaitable<void> fail_at_once() {
    throw std::runtime_error("at once");
    co_return;
}

asio::awaitable<void> wait_and_note(util::notifier& notifier, bool& unwound) {
    struct note {
        bool& into;
        ~note() { into = true; }
    } at_end{unwound};
    co_await notifier.wait();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(async)

BOOST_AUTO_TEST_CASE(the_first_to_end_cancels_the_other_and_both_have_unwound) {
    run_loop loop;
    util::notifier never(loop.executor());
    bool unwound = false;
    const auto first = loop.run(util::first_of(wait_and_note(never, unwound), util::pause(1ms)));
    BOOST_TEST(first == 1u);
    BOOST_TEST(unwound);
}

BOOST_AUTO_TEST_CASE(a_failure_is_rethrown_at_once) {
    run_loop loop;
    util::notifier never(loop.executor());
    bool unwound = false;
    const auto began = std::chrono::steady_clock::now();
    BOOST_CHECK_THROW(loop.run(util::first_of(fail_at_once(), wait_and_note(never, unwound))),
                      std::runtime_error);
    BOOST_TEST(unwound);
    BOOST_TEST((std::chrono::steady_clock::now() - began < 5s));
}

BOOST_AUTO_TEST_CASE(a_notifier_wakes_present_waiters_only) {
    run_loop loop;
    util::notifier notifier(loop.executor());
    bool early = false, late = false;
    util::spawn(loop.executor(), wait_and_note(notifier, early), "one");
    loop.run(util::pause(1ms));
    notifier.ring();
    util::spawn(loop.executor(), wait_and_note(notifier, late), "late");
    loop.run(util::pause(5ms));
    BOOST_TEST(early);
    BOOST_TEST(!late);
    notifier.ring();
    loop.run(util::pause(5ms));
    BOOST_TEST(late);
}

BOOST_AUTO_TEST_SUITE_END()
