#pragma once
// Composing coroutines: with a time limit, side by side, or on their own under a name.

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

// Starts `work` on its own. An exception that ends it, other than its cancellation, is logged under `name`.
void spawn(const asio::any_io_executor& executor, asio::awaitable<void> work, std::string name);

// The end of a wait of `limit` that begins now. A limit beyond the clock's range never ends.
timer::time_point end_of_wait(std::chrono::milliseconds limit);

// Runs `work` for at most `limit`, then cancels it; returns only after it has unwound, so that it may refer
// to the caller's locals. nullopt: the limit was reached. A failure of `work` is rethrown at once, and so is
// the caller's own cancellation. (`work || timer` waits for one success: it turns a fast failure into a slow
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

// Runs both. The first that ends cancels the other, and both have unwound when this returns, so that they may
// refer to the caller's locals. Returns which ended first, 0 or 1, and rethrows the failure of that one.
asio::awaitable<std::size_t> first_of(asio::awaitable<void> left, asio::awaitable<void> right);

// Runs both until both have ended. When one fails, the other is cancelled, and the failure is rethrown.
asio::awaitable<void> both(asio::awaitable<void> left, asio::awaitable<void> right);

// Runs all side by side until each has ended. Returns the exception that ended each, or nullptr.
asio::awaitable<std::vector<std::exception_ptr>> all_of(std::vector<asio::awaitable<void>> works);

// Returns after `length`; throws on cancellation.
asio::awaitable<void> pause(std::chrono::milliseconds length);

// A condition that coroutines wait for: set() wakes all of them. For one thread.
class manual_reset_event {
public:
    explicit manual_reset_event(const asio::any_io_executor& executor);
    void set();
    void clear();
    bool is_set() const { return set_; }
    asio::awaitable<void> wait();  // returns at once when set; throws on cancellation

private:
    timer timer_;  // never expires: cancelling it wakes those who wait
    bool set_ = false;
};

// A signal without a state: ring() wakes the coroutines that wait at that moment. For one thread.
class notifier {
public:
    explicit notifier(const asio::any_io_executor& executor);
    void ring();
    asio::awaitable<void> wait();  // until the next ring(); throws on cancellation

private:
    timer timer_;  // never expires: cancelling it wakes those who wait
    std::uint64_t rings_ = 0;
};

}  // namespace hob::util
