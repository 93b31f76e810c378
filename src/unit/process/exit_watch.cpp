#include "unit/process/exit_watch.hpp"

#include <signal.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "limits.hpp"
#include "util/proc.hpp"

namespace hob::unit {

namespace asio = boost::asio;

exit_watch::exit_watch(const asio::any_io_executor& executor)
    : executor_(executor), descriptor_(executor), look_again_(executor) {}

exit_watch::~exit_watch() {
    if (descriptor_.is_open()) descriptor_.release();
}

void exit_watch::begin(const util::process_handle& process, pid_t pid) {
    pid_ = pid;
    if (process.descriptor() >= 0) {
        descriptor_.assign(process.descriptor());
    } else {
        exits_.emplace(executor_, SIGCHLD);
    }
}

asio::awaitable<void> exit_watch::wait() {
    boost::system::error_code error;
    auto token = asio::redirect_error(asio::use_awaitable, error);
    if (descriptor_.is_open()) {
        co_await descriptor_.async_wait(asio::posix::stream_descriptor::wait_read, token);
    } else if (const auto stat = util::read_proc_stat(pid_); !stat || stat->ppid == ::getpid()) {
        co_await exits_->async_wait(token);
    } else {
        look_again_.expires_after(limits::exit_look_again);
        co_await look_again_.async_wait(token);
    }
    const auto cancelled = co_await asio::this_coro::cancellation_state;
    if (cancelled.cancelled() != asio::cancellation_type::none) {
        throw boost::system::system_error(asio::error::operation_aborted);
    }
}

void exit_watch::cancel() {
    boost::system::error_code ignored;
    descriptor_.cancel(ignored);
    if (exits_) exits_->cancel(ignored);
    look_again_.cancel();
}

}  // namespace hob::unit
