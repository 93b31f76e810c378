#include "util/poll_set.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>

#include "util/fd.hpp"

namespace hob::util {

poll_set::poll_set(const boost::asio::any_io_executor& executor) : set_(executor), alone_(executor) {
    unique_fd made(::epoll_create1(EPOLL_CLOEXEC));
    if (!made) throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
    set_.assign(made.get());
    made.release();
}

bool poll_set::put(int descriptor, void* who, std::uint32_t events) {
    epoll_event wanted{.events = events, .data = {.ptr = who}};
    return ::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, descriptor, &wanted) == 0;
}

bool poll_set::add(int descriptor, void* who, std::uint32_t events) {
    if (members_ == 0 && events == EPOLLIN && begin_alone(descriptor)) {
        alone_who_ = who;
    } else if (!end_alone() || !put(descriptor, who, events)) {
        return false;
    }
    ++members_;
    return true;
}

bool poll_set::begin_alone(int descriptor) {
    boost::system::error_code failed, ignored;
    alone_.assign(descriptor, failed);
    if (!failed) set_.cancel(ignored);
    return !failed;
}

// The one that was alone goes to where all are.
bool poll_set::end_alone() {
    if (!alone_.is_open()) return true;
    if (!put(alone_.native_handle(), alone_who_, EPOLLIN)) return false;
    alone_.release();
    return true;
}

bool poll_set::change(int descriptor, void* who, std::uint32_t events) {
    if (!end_alone()) return false;
    epoll_event wanted{.events = events, .data = {.ptr = who}};
    return ::epoll_ctl(set_.native_handle(), EPOLL_CTL_MOD, descriptor, &wanted) == 0;
}

void poll_set::remove(int descriptor) {
    --members_;
    if (alone_.is_open()) {
        alone_.release();
    } else {
        ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
    }
}

void poll_set::wait(std::shared_ptr<listener> who) {
    auto& where = alone_.is_open() ? alone_ : set_;
    where.async_wait(where.wait_read, [this, who = std::move(who)](boost::system::error_code failed) mutable {
        // Aborted: somebody is alone now, or no longer.
        if (failed && members_ != 0 && !closed_) return wait(std::move(who));
        who->something_is_ready();
    });
}

std::span<const epoll_event> poll_set::take() {
    if (alone_.is_open()) {
        ready_[0] = {.events = EPOLLIN, .data = {.ptr = alone_who_}};
        return {ready_.data(), 1};
    }
    const int count = ::epoll_wait(set_.native_handle(), ready_.data(), static_cast<int>(ready_.size()), 0);
    return {ready_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

void poll_set::close() {
    closed_ = true;
    boost::system::error_code ignored;
    if (alone_.is_open()) alone_.release();
    set_.close(ignored);
}

}  // namespace hob::util
