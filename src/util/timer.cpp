#include "util/timer.hpp"

#include <sys/timerfd.h>

#include <boost/asio/execution/context.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/query.hpp>
#include <cerrno>
#include <optional>

#include "error.hpp"

namespace hob::util {

namespace asio = boost::asio;

// The queue and the timerfd of one event loop.
class timer_service : public asio::execution_context::service {
public:
    static asio::execution_context::id id;

    explicit timer_service(asio::execution_context& context) : service(context) {}

    // The descriptor is created with the first timer, not with the first wait: a wait must not fail for lack
    // of descriptors.
    static timer_service& of(const asio::any_io_executor& executor) {
        auto& service = asio::use_service<timer_service>(asio::query(executor, asio::execution::context));
        if (!service.descriptor_) service.open(executor);
        return service;
    }

    timer::queue::iterator insert(timer::time_point when, std::unique_ptr<timer::waiter> wait) {
        const auto position = queue_.emplace(when, std::move(wait));
        arm();
        return position;
    }

    std::unique_ptr<timer::waiter> take(timer::queue::iterator position) {
        auto wait = std::move(position->second);
        queue_.erase(position);
        if (!shut_down_) arm();
        return wait;
    }

private:
    void shutdown() override {
        shut_down_ = true;
        // Here, because the service behind the descriptor may be destroyed before this one.
        descriptor_.reset();
        // Handlers are destroyed without being called. They may hold timers, whose destructors cancel their
        // waits.
        while (!queue_.empty()) {
            auto wait = std::move(queue_.begin()->second);
            queue_.erase(queue_.begin());
            wait->owner->waits_.erase(wait->own_position);
        }
    }

    void open(const asio::any_io_executor& executor) {
        const int fd = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (fd < 0) throw denied("make", "a timer", errno);
        descriptor_.emplace(executor, fd);
    }

    std::optional<timer::time_point> next() const {
        if (queue_.empty() || queue_.begin()->first == timer::time_point::max()) return std::nullopt;
        return queue_.begin()->first;
    }

    // Adjusts the timerfd, and the wait for it, to the queue.
    void arm() {
        const auto due = next();
        if (due != armed_) {
            itimerspec setting{};  // zero: disarmed
            if (due) {
                const auto since_boot = due->time_since_epoch();
                const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(since_boot);
                setting.it_value.tv_sec = seconds.count();
                setting.it_value.tv_nsec = std::chrono::nanoseconds(since_boot - seconds).count();
                // A time long past is due now; zero would disarm.
                if (setting.it_value.tv_sec <= 0) setting.it_value = {0, 1};
            }
            ::timerfd_settime(descriptor_->native_handle(), TFD_TIMER_ABSTIME, &setting, nullptr);
            armed_ = due;
        }
        if (due && !waiting_) {
            waiting_ = true;
            descriptor_->async_wait(asio::posix::stream_descriptor::wait_read,
                                    [this](const boost::system::error_code&) { on_wakeup(); });
        } else if (!due && waiting_) {
            descriptor_->cancel();
        }
    }

    void on_wakeup() {
        waiting_ = false;
        if (shut_down_) return;
        const auto now = timer::clock_type::now();
        while (!queue_.empty() && queue_.begin()->first <= now) {
            timer::waiter& due = *queue_.begin()->second;
            due.owner->finish(due, {});
        }
        // A timerfd that has fired is disarmed.
        if (armed_ && *armed_ <= now) armed_.reset();
        arm();
    }

    timer::queue queue_;
    std::optional<asio::posix::stream_descriptor> descriptor_;
    std::optional<timer::time_point> armed_;
    bool waiting_ = false;
    bool shut_down_ = false;
};

asio::execution_context::id timer_service::id;

timer::timer(const asio::any_io_executor& executor, time_point expiry)
    : executor_(executor), service_(timer_service::of(executor)), expiry_(expiry) {}

timer::~timer() { cancel(); }

void timer::expires_at(time_point expiry) {
    cancel();
    expiry_ = expiry;
}

void timer::expires_after(clock_type::duration length) {
    const auto now = clock_type::now();
    expires_at(length < time_point::max() - now ? now + length : time_point::max());
}

void timer::cancel() {
    while (!waits_.empty())
        finish(*waits_.front(), asio::error::operation_aborted);
}

void timer::add(std::unique_ptr<waiter> wait) {
    waiter& added = *wait;
    added.owner = this;
    added.own_position = waits_.insert(waits_.end(), &added);
    added.position = service_.insert(expiry_, std::move(wait));
    added.cancel_through_slot();
}

void timer::finish(waiter& wait, boost::system::error_code error) {
    waits_.erase(wait.own_position);
    const auto taken = service_.take(wait.position);
    taken->complete(error);
}

}  // namespace hob::util
