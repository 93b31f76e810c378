#include "util/process_handle.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "limits.hpp"
#include "util/async.hpp"
#include "util/proc.hpp"

namespace hob::util {
namespace {

int open_pidfd(pid_t pid) { return static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)); }

int send_signal(int pidfd, int number) {
    return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd, number, nullptr, 0));
}

bool exists(pid_t pid) { return ::kill(pid, 0) == 0 || errno != ESRCH; }

asio::awaitable<void> readable(asio::posix::stream_descriptor& descriptor) {
    co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
}

}  // namespace

process_handle::process_handle(pid_t pid) {
    if (pid <= 0) {
        errno = ESRCH;
        return;
    }
    pidfd_.reset(open_pidfd(pid));
    if (!pidfd_) {
        if (errno == ESRCH) return;
        if (const auto stat = read_proc_stat(pid)) {
            start_time_ = stat->start_time;
        } else if (!exists(pid)) {
            return;
        }
    }
    pid_ = pid;
}

process_handle::process_handle(pid_t pid, std::uint64_t start_time) : process_handle(pid) {
    if (pid_ <= 0) return;
    const auto stat = read_proc_stat(pid);
    if (stat && stat->start_time == start_time) {
        start_time_ = start_time;
        return;
    }
    *this = process_handle();
    errno = ESRCH;
}

bool process_handle::has_ended() const {
    if (pidfd_) {
        pollfd end{pidfd_.get(), POLLIN, 0};
        return ::poll(&end, 1, 0) == 1;
    }
    const auto stat = read_proc_stat(pid_);
    if (!stat) return !exists(pid_);
    return util::has_ended(*stat) || stat->start_time != start_time_;
}

bool process_handle::signal(int number) const {
    if (pidfd_) {
        if (send_signal(pidfd_.get(), number) == 0) return true;
        if (errno == ESRCH) return false;
    } else if (start_time_ == 0) {
        errno = ESRCH;  // it cannot be told from a later process
        return false;
    }
    if (has_ended()) {
        errno = ESRCH;
        return false;
    }
    return ::kill(pid_, number) == 0;
}

bool process_handle::wait(deadline limit) const {
    for (;;) {
        if (has_ended()) return true;
        if (limit.expired()) return false;
        const deadline wake = pidfd_ ? limit : limit.earlier(deadline::in(limits::look_again));
        pollfd end{pidfd_.get(), POLLIN, 0};  // poll() ignores a descriptor of -1
        if (::poll(&end, 1, wake.poll_timeout()) < 0 && errno != EINTR) return false;
    }
}

asio::awaitable<bool> wait_for_end(process_handle process, deadline limit) {
    const int copy = ::fcntl(process.descriptor(), F_DUPFD_CLOEXEC, 3);
    if (copy >= 0) {
        asio::posix::stream_descriptor descriptor(co_await asio::this_coro::executor, copy);
        const bool in_time = co_await within(limit.remaining(), readable(descriptor));
        co_return in_time;
    }
    while (!process.has_ended()) {
        if (limit.expired()) co_return false;
        co_await pause(std::min(limits::look_again, limit.remaining()));
    }
    co_return true;
}

}  // namespace hob::util
