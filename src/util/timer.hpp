#pragma once
// A timer without idle wake-ups. Asio's own timer keeps its timerfd armed after a wait is cancelled, and from
// its first use on wakes the process every five minutes. Here all timers of an event loop share one timerfd,
// which is armed for the next expiry and disarmed when there is none.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/error_code.hpp>

#include <chrono>
#include <list>
#include <map>
#include <memory>
#include <utility>

namespace hob::util {

class timer_service;

// As asio::steady_timer, for one thread. A wait with the expiry time_point::max() ends only by cancellation,
// and does not keep io_context::run() from returning.
class timer {
public:
    using clock_type = std::chrono::steady_clock;
    using time_point = clock_type::time_point;

    explicit timer(const boost::asio::any_io_executor& executor, time_point expiry = time_point::max());
    ~timer();
    timer(const timer&) = delete;
    timer& operator=(const timer&) = delete;

    // Each cancels all pending waits.
    void expires_at(time_point expiry);
    void expires_after(clock_type::duration length);

    // The waits end with operation_aborted, in a later turn of the event loop.
    void cancel();

    // Completes with void(boost::system::error_code). Supports every kind of per-operation cancellation.
    template <typename Token>
    auto async_wait(Token&& token) {
        auto initiate = [this](auto handler) {
            using handler_type = std::decay_t<decltype(handler)>;
            add(std::make_unique<waiting<handler_type>>(std::move(handler), executor_));
        };
        return boost::asio::async_initiate<Token, void(boost::system::error_code)>(std::move(initiate),
                                                                                   token);
    }

private:
    friend class timer_service;

    // One pending wait, whatever the type of its handler.
    struct waiter {
        virtual ~waiter() = default;
        virtual void complete(boost::system::error_code error) = 0;  // posts the handler; at most once
        virtual void cancel_through_slot() = 0;
        timer* owner = nullptr;
        std::multimap<time_point, std::unique_ptr<waiter>>::iterator position;
        std::list<waiter*>::iterator own_position;
    };
    using queue = std::multimap<time_point, std::unique_ptr<waiter>>;

    template <typename Handler>
    struct waiting final : waiter {
        waiting(Handler what, const boost::asio::any_io_executor& by_default)
            : handler(std::move(what)), executor(by_default) {}

        void complete(boost::system::error_code error) override {
            boost::asio::get_associated_cancellation_slot(handler).clear();
            const auto target = boost::asio::get_associated_executor(handler, executor);
            boost::asio::post(target,
                              [then = std::move(handler), error]() mutable { std::move(then)(error); });
        }

        void cancel_through_slot() override {
            auto slot = boost::asio::get_associated_cancellation_slot(handler);
            if (!slot.is_connected()) return;
            slot.assign([this](boost::asio::cancellation_type) {
                this->owner->finish(*this, boost::asio::error::operation_aborted);
            });
        }

        Handler handler;
        boost::asio::any_io_executor executor;
    };

    void add(std::unique_ptr<waiter> wait);
    void finish(waiter& wait, boost::system::error_code error);  // removes it from the queue and completes it

    boost::asio::any_io_executor executor_;
    timer_service& service_;
    time_point expiry_;
    std::list<waiter*> waits_;
};

}  // namespace hob::util
