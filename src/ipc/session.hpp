#pragma once
// One connected client, as a handler sees it.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <string_view>

#include "util/fd.hpp"

namespace hob::ipc {

// Held by the server while it is connected, and by each handler in flight: a handler may outlive its client.
class session {
public:
    session() = default;
    session(const session&) = delete;
    session& operator=(const session&) = delete;
    virtual ~session() = default;

    // From now on this client gets what server::publish is given. A handler that returns a snapshot calls
    // this in the same turn, and so leaves no gap: the reply is sent before any later event.
    void subscribe() { subscribed_ = true; }
    bool subscribed() const { return subscribed_; }

    pid_t peer_pid() const { return peer_pid_; }  // at the time it connected

    // Sends a notification to this client alone, in order with its replies; never dropped.
    virtual void notify(std::string_view method, std::string_view params_raw) = 0;

    // Bytes that wait for the client to read them, and a wait for fewer: it returns when some went, or the
    // client is gone; throws on cancellation. Who sends much waits, so that nothing piles up.
    virtual std::size_t backlog() const = 0;
    virtual boost::asio::awaitable<void> drained() { co_return; }

    // The descriptor that came with a request, the oldest first; empty: none came. A handler takes it before
    // it suspends.
    virtual util::unique_fd take_descriptor() { return {}; }

    // The client has hung up: nothing reaches it any more.
    virtual bool gone() const = 0;

protected:
    explicit session(pid_t peer_pid) : peer_pid_(peer_pid) {}

private:
    pid_t peer_pid_ = 0;
    bool subscribed_ = false;
};

}  // namespace hob::ipc
