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
#include <vector>

#include "ipc/carried_connection.hpp"
#include "ipc/dispatcher.hpp"
#include "ipc/message.hpp"
#include "ipc/session.hpp"
#include "util/fd.hpp"

namespace hob::ipc {

struct server_options {
    std::function<std::string()> hello_line;  // called for each client; a full line
    uid_t owner = 0;                          // the only user that is served
    std::function<void()> changed;  // clients() or in_flight() has changed; must not destroy the server
};

class server_state;

class server {
public:
    // `methods` must outlive the server, and the requests that are still unwinding after its end.
    server(boost::asio::any_io_executor executor, const dispatcher& methods, server_options options);

    // Closes every connection and cancels every request. Suspended handlers unwind when the event loop next
    // runs, or are destroyed with it; they use nothing of the server.
    ~server();
    server(const server&) = delete;
    server& operator=(const server&) = delete;

    // Takes a bound, listening, non-blocking Unix stream socket. Closes an earlier one.
    void listen(util::unique_fd listening);
    void stop_accepting();  // closes the listener; sessions continue

    // From now on no request is read; clients are greeted, and replies are sent. resume() ends it.
    void suspend();
    void resume();

    // What another program in this process needs to go on with the clients that have no request in flight.
    // The server is of no use afterwards: the program is executed next.
    std::vector<carried_connection> carry_clients();
    void resume_client(carried_connection client);

    std::size_t clients() const;  // connected
    std::size_t in_flight()
        const;  // requests in asynchronous handlers, including those of clients that are gone

    // An event to each subscribed session. A reader that is too slow loses events, never replies; a
    // notification says how many (identity::methods.lagged, {"lost":N}).
    void publish(std::string_view method, std::string_view params_raw);
    bool has_subscriber() const;

    // A full line to every session; may be lost like an event.
    void announce(std::string_view line);

    // Returns when no request is in flight and all replies are sent. No limit of its own; cancellation ends
    // it.
    boost::asio::awaitable<void> idle();

    // Returns when this client awaits no reply. Cancellation ends it.
    boost::asio::awaitable<void> replied(std::shared_ptr<session> client);

    void cancel_all();  // every request in flight; each is answered with `cancelled`
    void close_all();   // every connection, at once

private:
    std::shared_ptr<server_state> state_;  // also held by timers and waits in flight
};

}  // namespace hob::ipc
