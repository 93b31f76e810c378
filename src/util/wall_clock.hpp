#pragma once
// What is to be done at a time of day. One timerfd on CLOCK_REALTIME for all of it, armed for the next due
// thing, told by the kernel when the clock is set, and disarmed when there is nothing.

#include <boost/asio/any_io_executor.hpp>

#include <chrono>
#include <functional>
#include <memory>

namespace hob::util {

class wall_clock {
public:
    using time_point = std::chrono::system_clock::time_point;

    // Makes the descriptor. Throws failure(denied).
    explicit wall_clock(const boost::asio::any_io_executor& executor);
    ~wall_clock();
    wall_clock(const wall_clock&) = delete;
    wall_clock& operator=(const wall_clock&) = delete;

    // `ring` is called once, at `when` or soon after, or earlier when the clock was set: whoever is woken
    // looks at the clock, and sets again. An earlier wish of `who` is replaced.
    void set(const void* who, time_point when, std::function<void()> ring);
    void clear(const void* who);

private:
    struct state;
    std::shared_ptr<state> state_;  // also held by the wait in flight
};

}  // namespace hob::util
