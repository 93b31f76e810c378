// When a connection is watched for what: it is read unless it is paused, and written while its outbox is
// full.
#include <sys/epoll.h>

#include <algorithm>
#include <memory>

#include "ipc/connection.hpp"
#include "limits.hpp"
#include "util/poll_set.hpp"

namespace hob::ipc {

bool connection::paused() const {
    return (host_ != nullptr && host_->is_suspended()) || outbox_.bytes() > limits::outbox_replies_max ||
           requests_.size() >= limits::session_requests_max;
}

// A notification in flight needs no connection. A subscriber that has ended its input still gets events.
bool connection::done() const {
    if (!end_of_input_ || reader_.buffered() != 0) return false;
    if (gone()) return true;
    const auto is_request = [](const std::shared_ptr<running_request>& each) { return !each->id.empty(); };
    return outbox_.empty() && !subscribed() && std::ranges::none_of(requests_, is_request);
}

void connection::wait_for_next() {
    if (is_closed() || host_ == nullptr) return;
    if (done()) return close();
    watch();
}

// A hang-up is reported even while nothing is read. Once it is known, stop watching: it would be reported for
// ever.
void connection::watch() {
    const bool reads = !end_of_input_ && !paused();
    if (gone() && !reads) return unwatch();
    const std::uint32_t events = (reads ? EPOLLIN : 0u) | (outbox_.empty() ? 0u : EPOLLOUT);
    if (watched_ == events) return;
    auto& poll_set = host_->poll_set();
    const bool registered =
        watched_ ? poll_set.change(socket_.get(), this, events) : poll_set.add(socket_.get(), this, events);
    if (registered) {
        watched_ = events;
    } else if (gone()) {
        close();
    } else {
        lose_peer();
    }
}

void connection::unwatch() {
    if (!watched_ || host_ == nullptr) return;
    host_->poll_set().remove(socket_.get());
    watched_.reset();
}

bool connection::on_ready(std::uint32_t events) {
    if (is_closed() || host_ == nullptr || !watched_) return false;
    const bool reads = (*watched_ & EPOLLIN) != 0;
    if ((events & EPOLLOUT) != 0) {
        on_writable();
    } else if (!reads && (events & (EPOLLHUP | EPOLLERR)) != 0) {
        lose_peer();
    }
    return reads && (events & ~EPOLLOUT) != 0;
}

void connection::on_writable() {
    if (gone() || host_ == nullptr) return;
    const bool was_paused = paused();
    if (!outbox_.flush(socket_.get())) return lose_peer();
    notify_drained();
    if (outbox_.empty()) host_->flushed();
    if (was_paused) return turn(false);
    wait_for_next();
}

}  // namespace hob::ipc
