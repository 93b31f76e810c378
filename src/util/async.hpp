#pragma once
// The two shapes in which hob composes coroutines: with a limit, and on their own with a name.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "util/timer.hpp"

namespace hob::util {

namespace asio = boost::asio;

// Starts `work` on its own. What ends it with an exception, other than its cancellation, is logged under
// `name`.
void spawn(const asio::any_io_executor& executor, asio::awaitable<void> work, std::string name);

// When a wait of `limit` that begins now is over. A limit beyond the clock's range is as good as never.
timer::time_point end_of_wait(std::chrono::milliseconds limit);

// Runs `work` for at most `limit`, then cancels it; returns only after it has unwound, so that it may refer
// to the caller's locals. nullopt: the limit was reached. A failure of `work` is passed on at once, as is the
// caller's own cancellation. (`work || timer` would wait for one success and turn a fast failure into a slow
// time-out.)
template <typename T>
asio::awaitable<std::optional<T>> within(std::chrono::milliseconds limit, asio::awaitable<T> work) {
    const auto executor = co_await asio::this_coro::executor;
    timer limiter(executor, end_of_wait(limit));
    auto run = asio::co_spawn(executor, std::move(work), asio::deferred);
    auto wait = limiter.async_wait(asio::deferred);
    auto group = asio::experimental::make_parallel_group(std::move(run), std::move(wait));
    auto [order, failed, value, timer_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (!failed) co_return std::optional<T>(std::move(value));
    if (order[0] == 1 && !timer_error) co_return std::nullopt;
    std::rethrow_exception(failed);
}

// As above; false: the limit was reached.
asio::awaitable<bool> within(std::chrono::milliseconds limit, asio::awaitable<void> work);

// Runs both; the first that ends cancels the other, and both have unwound when this returns, so that they may
// refer to the caller's locals. 0 or 1: which ended first. A failure of that one is passed on.
asio::awaitable<std::size_t> first_of(asio::awaitable<void> one, asio::awaitable<void> other);

// Runs them side by side until all have ended; of each the exception that ended it, or nullptr.
asio::awaitable<std::vector<std::exception_ptr>> all_of(std::vector<asio::awaitable<void>> works);

// Returns after `length`; throws on cancellation.
asio::awaitable<void> pause(std::chrono::milliseconds length);

// Something that others wait for: set() wakes all who wait. One thread.
class manual_reset_event {
public:
    explicit manual_reset_event(const asio::any_io_executor& executor);
    void set();
    void clear();
    bool is_set() const { return set_; }
    asio::awaitable<void> wait();  // returns at once when set; throws on cancellation

private:
    timer timer_;  // never expires: cancelling it is the wake-up
    bool set_ = false;
};

// Something that happens again and again: ring() wakes whoever waits at that moment. One thread.
class notifier {
public:
    explicit notifier(const asio::any_io_executor& executor);
    void ring();
    asio::awaitable<void> wait();  // until the next ring(); throws on cancellation

private:
    timer timer_;  // never expires: cancelling it is the wake-up
    std::uint64_t rings_ = 0;
};

}  // namespace hob::util
