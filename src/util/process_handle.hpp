#pragma once
// A process that is not mistaken for a later one with the same pid: a pidfd. Where the kernel or a filter
// refuses pidfds (pidfd_open is of Linux 5.3), the pid together with the start time, which is compared before
// each use.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>

#include <cstdint>

#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::util {

class process_handle {
public:
    process_handle() = default;
    // Empty, and errno is ESRCH, when there is no such process.
    explicit process_handle(pid_t pid);
    // Likewise when the process with this pid began at another time.
    process_handle(pid_t pid, std::uint64_t start_time);

    explicit operator bool() const { return pid_ > 0; }

    // A zombie has ended.
    bool has_ended() const;
    // False and errno on failure: ESRCH when it has ended.
    bool signal(int number) const;
    // Blocks until it has ended, or until `limit`. True: it has ended.
    bool wait(deadline limit) const;

    // Becomes readable at its end. -1: there is no pidfd, and only has_ended() tells.
    int descriptor() const { return pidfd_.get(); }

private:
    pid_t pid_ = 0;
    std::uint64_t start_time_ = 0;  // 0: not known. It is needed only without a pidfd.
    unique_fd pidfd_;
};

// As process_handle::wait, for coroutines.
boost::asio::awaitable<bool> wait_for_end(process_handle process, deadline limit);

}  // namespace hob::util
