#pragma once
// Waits in the event loop for the end of one process: by its pidfd. Without pidfds SIGCHLD reports the end of
// a child of this process, and any other process is looked at every limits::exit_look_again.

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>

#include <optional>

#include "util/process_handle.hpp"
#include "util/timer.hpp"

namespace hob::unit {

class exit_watch {
public:
    explicit exit_watch(const boost::asio::any_io_executor& executor);
    ~exit_watch();
    exit_watch(const exit_watch&) = delete;
    exit_watch& operator=(const exit_watch&) = delete;

    // `process` lives as long as this object. Check whether it has ended before each wait().
    void begin(const util::process_handle& process, pid_t pid);

    // Returns when the process may have ended, or after cancel(). Throws when the coroutine is cancelled.
    boost::asio::awaitable<void> wait();
    void cancel();

private:
    boost::asio::any_io_executor executor_;
    pid_t pid_ = 0;
    boost::asio::posix::stream_descriptor descriptor_;  // the pidfd, which `process` owns
    std::optional<boost::asio::signal_set> exits_;
    util::timer look_again_;
};

}  // namespace hob::unit
