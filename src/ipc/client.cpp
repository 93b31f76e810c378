#include "ipc/client.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "error.hpp"
#include "identity.hpp"
#include "ipc/draining.hpp"
#include "limits.hpp"

namespace hob::ipc {
namespace {

constexpr std::size_t first_read = 4096;
constexpr std::size_t early_max = 2048;
constexpr std::size_t big_read = 256u << 10;

// False: the limit is over.
bool wait_for(int fd, short events, util::deadline limit) {
    for (;;) {
        pollfd waiting{fd, events, 0};
        const int n = ::poll(&waiting, 1, limit.poll_timeout());
        if (n > 0) return true;
        if (n == 0 && limit.expired()) return false;
        if (n < 0 && errno != EINTR) throw denied("wait for", "the daemon", errno);
    }
}

}  // namespace

client::client(util::unique_fd socket, ucred peer) : socket_(std::move(socket)), peer_(peer) {}

client::read_result client::read_line(std::string& line, util::deadline limit) {
    std::size_t searched = consumed_;
    for (;;) {
        const auto end = buffer_.find('\n', searched);
        if (end != std::string::npos) {
            line.assign(buffer_, consumed_, end - consumed_);
            consumed_ = end + 1;
            if (consumed_ == buffer_.size()) {
                buffer_.clear();
                consumed_ = 0;
            }
            return read_result::line;
        }
        if (consumed_ > 0) {
            buffer_.erase(0, consumed_);
            consumed_ = 0;
        }
        searched = buffer_.size();
        if (buffer_.size() > limits::line_max) return read_result::closed;
        const std::size_t room = buffer_.size() < big_read ? first_read : big_read;
        buffer_.resize(searched + room);
        const ssize_t n = ::recv(socket_.get(), buffer_.data() + searched, room, MSG_DONTWAIT);
        const int error = n < 0 ? errno : 0;
        buffer_.resize(searched + (n > 0 ? static_cast<std::size_t>(n) : 0));
        if (n == 0) return read_result::closed;
        if (n > 0 || error == EINTR) continue;
        if (error == ECONNRESET) return read_result::reset;
        if (error != EAGAIN) throw denied("read from", "the daemon", error);
        if (!wait_for(socket_.get(), POLLIN, limit)) return read_result::timed_out;
    }
}

client::greeting_result client::read_greeting(util::deadline limit) {
    // The server may be any program: a greeting is short, and endless bytes are no greeting.
    std::string line;
    switch (read_line(line, limit)) {
        case read_result::line:
            break;
        case read_result::timed_out:
            return buffer_.empty() ? greeting_result::timed_out : greeting_result::foreign;
        case read_result::reset:
            return greeting_result::closed;
        case read_result::closed:
            return buffer_.empty() ? greeting_result::closed : greeting_result::foreign;
    }
    auto greeting = parse_hello(line);
    if (!greeting) return greeting_result::foreign;
    greeting_ = std::move(*greeting);
    return greeting_result::greeted;
}

void client::send(std::string_view line) {
    while (!line.empty()) {
        const ssize_t n = ::send(socket_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n >= 0) {
            line.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            if (!wait_for(socket_.get(), POLLOUT, util::deadline::in(limits::request_timeout))) {
                throw failure(error_kind::timeout, cannot("send the request"), "the daemon does not read");
            }
        } else if (errno == EPIPE || errno == ECONNRESET) {
            throw not_executed();
        } else if (errno != EINTR) {
            throw denied("write to", "the daemon", errno);
        }
    }
}

void client::send_with_descriptor(std::string_view line, int descriptor) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    iovec bytes{const_cast<char*>(line.data()), line.size()};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    ssize_t sent = 0;
    do {
        sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 &&
             (errno == EINTR || (errno == EAGAIN && wait_for(socket_.get(), POLLOUT,
                                                             util::deadline::in(limits::request_timeout)))));
    if (sent < 0 && errno == EAGAIN)
        throw failure(error_kind::timeout, cannot("send", {}, "the request"), "the daemon does not read");
    if (sent < 0 && (errno == EPIPE || errno == ECONNRESET)) throw not_executed();
    if (sent < 0) throw denied("write to", "the daemon", errno);
    send(line.substr(static_cast<std::size_t>(sent)));
}

void client::send_early(const early_request& request) {
    sent_request sent{std::to_string(next_id_++), std::string(request.method), std::string(request.params)};
    const std::string line = request_line(sent.id, sent.method, sent.params);
    // Short, so that the empty socket takes all of it or nothing. A closed one is noticed when the greeting
    // is read.
    if (line.size() > early_max) return;
    const ssize_t n = ::send(socket_.get(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n == static_cast<ssize_t>(line.size())) early_ = std::move(sent);
}

// A daemon that shuts down greets anew.
incoming client::take(std::string_view line) {
    incoming message = parse_incoming(line);
    if (message.what == incoming::kind::notification && message.method == this_program.methods.hello) {
        if (const auto now = parse_hello(line)) greeting_.draining = now->draining;
    }
    return message;
}

error_kind client::kind_of_loss() const {
    return told_of_end() ? error_kind::no_daemon : error_kind::daemon_lost;
}

failure client::lost(cannot tried) const {
    return failure(kind_of_loss(), std::move(tried),
                   told_of_end() ? "the daemon ended before it replied" : "the daemon died before it replied",
                   "the request may have been carried out or not; see: " + command_text("logs"));
}

std::string client::call(std::string_view method, std::string_view params, util::deadline limit) {
    const auto early = std::exchange(early_, std::nullopt);
    const bool sent = early && early->method == method && early->params == params;
    // The reply to an early request that nobody calls for is dropped: no other request has its id.
    const std::string id = sent ? early->id : std::to_string(next_id_++);
    if (!sent) send(request_line(id, method, params));
    std::string line;
    for (;;) {
        switch (read_line(line, limit)) {
            case read_result::line:
                break;
            case read_result::timed_out:
                throw failure(error_kind::timeout, cannot("finish", method), "the deadline is over");
            case read_result::reset:
                throw not_executed();
            case read_result::closed:
                throw lost(cannot("get an answer"));
        }
        incoming message = take(line);
        if (message.what == incoming::kind::result && message.id == id) return std::move(message.payload);
        if (message.what == incoming::kind::error && (message.id == id || message.id == "null")) {
            failure why = failure_from_error(message.payload);
            if (is_draining_refusal(why)) throw not_executed();
            throw why;
        }
        if (message.what == incoming::kind::notification && on_notification) on_notification(message);
    }
}

std::optional<incoming> client::next(util::deadline limit) {
    std::string line;
    switch (read_line(line, limit)) {
        case read_result::line:
            return take(line);
        case read_result::timed_out:
            throw failure(error_kind::timeout, cannot("wait any longer"), "the deadline is over");
        case read_result::reset:
        case read_result::closed:
            break;
    }
    return std::nullopt;
}

}  // namespace hob::ipc
