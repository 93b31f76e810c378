#pragma once
// Alarms at times of the system clock. All share one timerfd on CLOCK_REALTIME, which is armed for the next
// alarm, fires also when the clock is set, and is disarmed when there is no alarm.

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace hob::util {

class wall_clock {
public:
    using time_point = std::chrono::system_clock::time_point;

    // Creates the descriptor. Throws failure(denied).
    explicit wall_clock(const boost::asio::any_io_executor& executor);
    ~wall_clock();
    wall_clock(const wall_clock&) = delete;
    wall_clock& operator=(const wall_clock&) = delete;

    // `on_due` is called once: at `when` or soon after, or earlier when the clock was set. It has to check
    // the clock and set the alarm again if it is too early. Replaces an earlier alarm of `owner`.
    void set(const void* owner, time_point when, std::function<void()> on_due);
    void clear(const void* owner);

private:
    struct state;
    std::shared_ptr<state> state_;  // also held by the wait in flight
};

}  // namespace hob::util
