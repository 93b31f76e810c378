#include "util/async.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

#include "util/log/log.hpp"

namespace hob::util {

void spawn(const asio::any_io_executor& executor, asio::awaitable<void> work, std::string name) {
    auto ended = [name = std::move(name)](const std::exception_ptr& failed) {
        if (!failed) return;
        try {
            std::rethrow_exception(failed);
        } catch (const boost::system::system_error& error) {
            if (error.code() == asio::error::operation_aborted) return;
            log(level::error, "async", "a coroutine failed",
                {field("name", name), field("reason", error.what())});
        } catch (const std::exception& error) {
            log(level::error, "async", "a coroutine failed",
                {field("name", name), field("reason", error.what())});
        }
    };
    asio::co_spawn(executor, std::move(work), std::move(ended));
}

timer::time_point end_of_wait(std::chrono::milliseconds limit) {
    constexpr auto never = timer::time_point::max();
    const auto now = timer::clock_type::now();
    return limit < std::chrono::duration_cast<std::chrono::milliseconds>(never - now) ? now + limit : never;
}

asio::awaitable<bool> within(std::chrono::milliseconds limit, asio::awaitable<void> work) {
    const auto executor = co_await asio::this_coro::executor;
    timer limiter(executor, end_of_wait(limit));
    auto run = asio::co_spawn(executor, std::move(work), asio::deferred);
    auto wait = limiter.async_wait(asio::deferred);
    auto group = asio::experimental::make_parallel_group(std::move(run), std::move(wait));
    auto [order, failed, timer_error] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    if (!failed) co_return true;
    if (order[0] == 1 && !timer_error) co_return false;
    std::rethrow_exception(failed);
}

asio::awaitable<void> both(asio::awaitable<void> left, asio::awaitable<void> right) {
    const auto executor = co_await asio::this_coro::executor;
    auto first = asio::co_spawn(executor, std::move(left), asio::deferred);
    auto second = asio::co_spawn(executor, std::move(right), asio::deferred);
    auto group = asio::experimental::make_parallel_group(std::move(first), std::move(second));
    auto [order, first_failed, second_failed] =
        co_await group.async_wait(asio::experimental::wait_for_one_error(), asio::use_awaitable);
    if (second_failed) std::rethrow_exception(second_failed);
    if (first_failed) std::rethrow_exception(first_failed);
}

asio::awaitable<std::size_t> first_of(asio::awaitable<void> left, asio::awaitable<void> right) {
    const auto executor = co_await asio::this_coro::executor;
    auto run_left = asio::co_spawn(executor, std::move(left), asio::deferred);
    auto run_right = asio::co_spawn(executor, std::move(right), asio::deferred);
    auto group = asio::experimental::make_parallel_group(std::move(run_left), std::move(run_right));
    auto [order, left_failed, right_failed] =
        co_await group.async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
    const auto failed = order[0] == 0 ? left_failed : right_failed;
    if (failed) std::rethrow_exception(failed);
    co_return order[0];
}

asio::awaitable<std::vector<std::exception_ptr>> all_of(std::vector<asio::awaitable<void>> works) {
    const auto executor = co_await asio::this_coro::executor;
    using operation = decltype(asio::co_spawn(executor, asio::awaitable<void>(), asio::deferred));
    std::vector<operation> operations;
    for (auto& work : works)
        operations.push_back(asio::co_spawn(executor, std::move(work), asio::deferred));
    std::vector<std::exception_ptr> none;
    if (operations.empty()) co_return none;
    auto group = asio::experimental::make_parallel_group(std::move(operations));
    auto [order, failed] = co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    co_return failed;
}

asio::awaitable<void> pause(std::chrono::milliseconds length) {
    timer limiter(co_await asio::this_coro::executor, end_of_wait(length));
    co_await limiter.async_wait(asio::use_awaitable);
}

manual_reset_event::manual_reset_event(const asio::any_io_executor& executor)
    : timer_(executor, timer::time_point::max()) {}

void manual_reset_event::set() {
    set_ = true;
    timer_.cancel();
}

void manual_reset_event::clear() { set_ = false; }

asio::awaitable<void> manual_reset_event::wait() {
    while (!set_) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await timer_.async_wait(token);
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (!set_ && cancelled.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
    }
}

notifier::notifier(const asio::any_io_executor& executor) : timer_(executor, timer::time_point::max()) {}

void notifier::ring() {
    ++rings_;
    timer_.cancel();
}

asio::awaitable<void> notifier::wait() {
    const auto rings_before = rings_;
    while (rings_ == rings_before) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await timer_.async_wait(token);
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (rings_ == rings_before && cancelled.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
    }
}

}  // namespace hob::util
