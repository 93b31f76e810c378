#include "util/poll_set.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <utility>

#include "util/fd.hpp"

namespace hob::util {

poll_set::poll_set(const boost::asio::any_io_executor& executor) : set_(executor), single_(executor) {
    unique_fd epoll(::epoll_create1(EPOLL_CLOEXEC));
    if (!epoll) throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
    set_.assign(epoll.get());
    epoll.release();
}

bool poll_set::epoll_add(int descriptor, void* owner, std::uint32_t events) {
    epoll_event event{.events = events, .data = {.ptr = owner}};
    return ::epoll_ctl(set_.native_handle(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

bool poll_set::add(int descriptor, void* owner, std::uint32_t events) {
    if (members_ == 0 && events == EPOLLIN && begin_single(descriptor)) {
        single_owner_ = owner;
    } else if (!end_single() || !epoll_add(descriptor, owner, events)) {
        return false;
    }
    ++members_;
    return true;
}

bool poll_set::begin_single(int descriptor) {
    boost::system::error_code failed, ignored;
    single_.assign(descriptor, failed);
    if (!failed) set_.cancel(ignored);
    return !failed;
}

// Moves the single member into the epoll set.
bool poll_set::end_single() {
    if (!single_.is_open()) return true;
    if (!epoll_add(single_.native_handle(), single_owner_, EPOLLIN)) return false;
    single_.release();
    return true;
}

bool poll_set::change(int descriptor, void* owner, std::uint32_t events) {
    if (!end_single()) return false;
    epoll_event event{.events = events, .data = {.ptr = owner}};
    return ::epoll_ctl(set_.native_handle(), EPOLL_CTL_MOD, descriptor, &event) == 0;
}

void poll_set::remove(int descriptor) {
    --members_;
    if (single_.is_open()) {
        single_.release();
    } else {
        ::epoll_ctl(set_.native_handle(), EPOLL_CTL_DEL, descriptor, nullptr);
    }
}

void poll_set::wait(std::shared_ptr<listener> notified) {
    auto& waited = single_.is_open() ? single_ : set_;
    auto ready = [this, notified = std::move(notified)](boost::system::error_code failed) mutable {
        // Aborted: the set has changed between one member and several.
        if (failed && members_ != 0 && !closed_) return wait(std::move(notified));
        notified->on_ready();
    };
    waited.async_wait(waited.wait_read, std::move(ready));
}

std::span<const epoll_event> poll_set::take() {
    if (single_.is_open()) {
        ready_[0] = {.events = EPOLLIN, .data = {.ptr = single_owner_}};
        return {ready_.data(), 1};
    }
    const int count = ::epoll_wait(set_.native_handle(), ready_.data(), static_cast<int>(ready_.size()), 0);
    return {ready_.data(), static_cast<std::size_t>(std::max(count, 0))};
}

void poll_set::close() {
    closed_ = true;
    boost::system::error_code ignored;
    if (single_.is_open()) single_.release();
    set_.close(ignored);
}

}  // namespace hob::util
