#pragma once
// One connected client, as a handler sees it.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>

#include "util/fd.hpp"

namespace hob::ipc {

// The server holds it while the client is connected, and so does each handler in flight: a handler may
// outlive its client.
class session {
public:
    session() = default;
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    virtual ~session() = default;

    // From now on this client gets what server::publish() sends. A handler that returns a snapshot calls this
    // in the same turn: the reply is sent before any later event, and no event is missed.
    void subscribe() { subscribed_ = true; }
    bool subscribed() const { return subscribed_; }

    pid_t peer_pid() const { return peer_pid_; }  // of the process that connected

    // Sends a notification to this client only, in order with its replies. Never dropped.
    virtual void notify(std::string_view method, std::string_view params_raw) = 0;

    // Backpressure for a handler that sends much: the bytes that the client has not read yet, and a wait that
    // returns when some were sent, or the client is gone. Throws on cancellation.
    virtual std::size_t backlog() const = 0;
    virtual boost::asio::awaitable<void> drained() { co_return; }

    // The descriptor that came with a request, the oldest first; empty: none came. A handler takes it before
    // it suspends.
    virtual util::unique_fd take_descriptor() { return {}; }

    // The client has hung up: nothing can be sent to it any more.
    virtual bool gone() const = 0;

    // A request of it has no reply yet.
    virtual bool awaits_reply() const { return false; }

protected:
    explicit session(pid_t peer_pid) : peer_pid_(peer_pid) {}

private:
    pid_t peer_pid_ = 0;
    bool subscribed_ = false;
};

}  // namespace hob::ipc
