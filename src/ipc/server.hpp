#pragma once
// The daemon's end of the wire (doc/protocol.md sections 1 to 5). Everything runs on the executor's one
// thread.

#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "ipc/dispatcher.hpp"
#include "ipc/message.hpp"
#include "ipc/session.hpp"
#include "util/fd.hpp"

namespace hob::ipc {

struct server_options {
    std::function<std::string()> hello_line;  // asked at each accept; a full line
    uid_t owner = 0;                          // the only uid that is served
    std::function<void()> changed;            // clients() or in_flight() changed; must not destroy the server
};

class server_state;

class server {
public:
    // `methods` must outlive the server, and the requests that are still unwinding after it.
    server(boost::asio::any_io_executor executor, const dispatcher& methods, server_options options);

    // Closes every connection and cancels every request. What is still suspended unwinds when the event loop
    // next runs, or is destroyed with it, and needs nothing of the server.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    // Takes a bound, listening, non-blocking Unix stream socket. A former one is closed.
    void listen(util::unique_fd listening);
    void stop_accepting();  // closes the listener; the sessions go on

    std::size_t clients() const;    // connected
    std::size_t in_flight() const;  // requests in suspended handlers, those of clients that are gone included

    // An event to each subscribed session. A reader that does not keep up loses events, never replies, and is
    // told how many: hob.lagged {"lost":N}.
    void publish(std::string_view method, std::string_view params_raw);
    bool anyone_subscribed() const;

    // A full line to every session; lost like an event.
    void announce(std::string_view line);

    // Returns when nothing is in flight and every outbox is flushed. No limit of its own; cancellation ends
    // it.
    boost::asio::awaitable<void> idle();

    void cancel_all();  // every request in flight; each is still answered (code cancelled)
    void close_all();   // every connection, at once

private:
    std::shared_ptr<server_state> state_;  // also held by timers and waits in flight
};

}  // namespace hob::ipc
