#include "ipc/outbox.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "identity.hpp"
#include "ipc/message.hpp"
#include "limits.hpp"
#include "util/json/json_writer.hpp"

namespace hob::ipc {
namespace {

constexpr int send_flags = MSG_DONTWAIT | MSG_NOSIGNAL;
constexpr std::size_t pieces_max = 64;  // in one sendmsg

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == ENOMEM; }

}  // namespace

// Removes from `bytes` what was sent. False: the peer is gone.
bool outbox::send_now(int socket, std::string_view& bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(socket, bytes.data(), bytes.size(), send_flags);
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno != EINTR) {
            return would_block();
        }
    }
    return true;
}

void outbox::keep(std::string_view bytes, bool droppable) {
    waiting_.push_back({std::string(bytes), droppable});
    bytes_ += bytes.size();
    if (droppable) event_bytes_ += bytes.size();
}

bool outbox::put(int socket, std::string_view bytes, bool droppable) {
    if (waiting_.empty() && !send_now(socket, bytes)) return false;
    if (!bytes.empty()) keep(bytes, droppable);
    return true;
}

bool outbox::reply(int socket, std::string_view lines) { return put(socket, lines, false); }

bool outbox::event(int socket, std::string_view line) {
    // After a dropped event, the gap is reported before any later event. A single event may be larger than
    // the limit, but not larger than a line.
    const bool room = event_bytes_ == 0 || event_bytes_ + line.size() <= limits::outbox_events_max;
    if (lost_ != 0 || !room || line.size() > limits::line_max + 1) {
        ++lost_;
        return waiting_.empty() ? flush(socket) : true;
    }
    return put(socket, line, true);
}

bool outbox::flush(int socket) {
    if (!send_waiting(socket)) return false;
    if (!waiting_.empty() || lost_ == 0) return true;
    util::json_object params;
    params.add("lost", lost_);
    const std::string line = notification_line(this_program.methods.lagged, std::move(params).text());
    lost_ = 0;
    return reply(socket, line);
}

bool outbox::send_waiting(int socket) {
    while (!waiting_.empty()) {
        std::array<iovec, pieces_max> pieces;
        const std::size_t count = std::min(waiting_.size(), pieces.size());
        for (std::size_t i = 0; i < count; ++i) {
            pieces[i] = {waiting_[i].bytes.data(), waiting_[i].bytes.size()};
        }
        pieces[0].iov_base = waiting_.front().bytes.data() + front_sent_;
        pieces[0].iov_len -= front_sent_;
        msghdr message{};
        message.msg_iov = pieces.data();
        message.msg_iovlen = count;
        const ssize_t n = ::sendmsg(socket, &message, send_flags);
        if (n >= 0) {
            sent(static_cast<std::size_t>(n));
        } else if (errno != EINTR) {
            return would_block();
        }
    }
    return true;
}

void outbox::sent(std::size_t count) {
    bytes_ -= count;
    while (count != 0) {
        const item& front = waiting_.front();
        const std::size_t left = front.bytes.size() - front_sent_;
        if (count < left) {
            front_sent_ += count;
            return;
        }
        count -= left;
        if (front.droppable) event_bytes_ -= front.bytes.size();
        front_sent_ = 0;
        waiting_.pop_front();
    }
    if (waiting_.empty()) waiting_ = {};  // frees the blocks that a deque keeps
}

std::string outbox::pending() const {
    std::string bytes;
    for (const item& each : waiting_)
        bytes += each.bytes;
    return bytes.substr(front_sent_);
}

void outbox::discard() { *this = {}; }

}  // namespace hob::ipc
