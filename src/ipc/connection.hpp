#pragma once
// One accepted connection: the server has one for each client. Rules: doc/protocol.md sections 2, 4 and 5.

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <cstdint>
#include <deque>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>
#include <vector>

#include "ipc/carried_connection.hpp"
#include "ipc/dispatcher.hpp"
#include "ipc/frame.hpp"
#include "ipc/outbox.hpp"
#include "ipc/session.hpp"
#include "util/async.hpp"
#include "util/fd.hpp"
#include "util/poll_set.hpp"

struct msghdr;

namespace hob::ipc {

class connection;

// What a connection needs of its server.
class connection_host {
public:
    virtual const dispatcher& methods() const = 0;
    virtual void request_began() = 0;
    virtual void request_ended() = 0;
    virtual void flushed() = 0;                    // an outbox has become empty
    virtual void closed(connection& which) = 0;    // its descriptor is closed
    virtual void finished(connection& which) = 0;  // closed, and no request is in flight: may be destroyed
    virtual util::poll_set& poll_set() = 0;        // where connections wait for their sockets
    virtual bool is_suspended() const = 0;         // nothing is read
    std::string spare_batch;  // memory for replies, lent to the connection that has its turn

protected:
    ~connection_host() = default;
};

class connection final : public session, public std::enable_shared_from_this<connection> {
public:
    // `host` outlives the connection, or calls abandon() first.
    connection(const boost::asio::any_io_executor& executor, connection_host& host, pid_t peer_pid);
    ~connection() override = default;

    // Takes the accepted, non-blocking socket. False and errno: it could not be registered.
    bool open(util::unique_fd socket);

    // Greets, and handles the requests that the client has sent before it read the greeting.
    void start(std::string_view hello_line);

    // Adds what another program needs to go on with this connection, which is of no use here any more. Nothing
    // is added where it cannot: a request is in flight, or the client is gone.
    void carry_to(std::vector<carried_connection>& all);
    // Instead of start(): goes on where carry_to() has ended.
    void resume(const carried_connection& from);

    // Reads again after the host was suspended.
    void resume_reading() { turn(false); }

    void notify(std::string_view method, std::string_view params_raw) override;
    std::size_t backlog() const override { return outbox_.bytes(); }
    bool gone() const override { return phase_ != phase::open; }
    bool awaits_reply() const override { return !requests_.empty(); }
    boost::asio::awaitable<void> drained() override;
    util::unique_fd take_descriptor() override;

    void event(std::string_view line);  // lost if the client reads too slowly

    // The socket is ready for `events`, as epoll reports them. True: a turn that reads must follow.
    bool on_ready(std::uint32_t events);
    // A turn: reads once, handles every complete line, and sends all replies together at its end.
    void begin_turn(bool reads);
    // Within a turn: sends the replies so far and handles what the client has sent meanwhile. False: it sent
    // nothing.
    bool continue_turn();
    void end_turn();

    void cancel_all();  // every request; each is answered with an error
    void close();       // at once; cancels its requests, but no notifications
    void abandon();     // close, and forget the host

    bool is_closed() const { return phase_ == phase::closed; }
    bool is_flushed() const { return outbox_.empty(); }

private:
    // A request in an asynchronous handler. Held by the list and by the completion of its coroutine.
    struct running_request {
        std::string id;
        std::string method;
        boost::asio::cancellation_signal cancel;
    };
    using request_list = std::list<std::shared_ptr<running_request>>;

    void turn(bool reads);
    bool read_some();
    void keep_descriptors(msghdr& message);
    void take_lines();
    void accept_line(const frame& line);
    void handle(request received);
    void start_async(const dispatcher::suspended& handler, request received);
    void complete(const std::shared_ptr<running_request>& done, const std::exception_ptr& thrown,
                  const std::string& result);
    void answer(std::string_view id, std::string_view result);
    void answer_thrown(std::string_view id, std::string_view method, const std::exception_ptr& thrown);

    void notify_drained();
    void send(std::string_view lines);
    void sent(bool delivered);
    void wait_for_next();
    void watch();
    void unwatch();
    void on_writable();
    void lose_peer();
    void cancel_requests();
    bool paused() const;
    bool done() const;

    boost::asio::any_io_executor executor_;
    util::unique_fd socket_;
    connection_host* host_;
    line_reader reader_;
    outbox outbox_;
    request_list requests_;
    std::deque<util::unique_fd> descriptors_;  // came with requests and are not taken yet
    std::unique_ptr<util::notifier> drained_;  // rings when something was sent; made on first use
    std::string* batch_ = nullptr;             // what is sent at the end of this turn; set only during a turn
    std::string turn_batch_;                   // what batch_ points to
    enum class phase {
        open,
        peer_lost,  // nothing can be sent any more; what the client has sent before is still read
        closed,
    };
    phase phase_ = phase::open;
    bool end_of_input_ = false;
    std::optional<std::uint32_t>
        watched_;  // the events that the host's poll_set waits for; nullopt: not in it
};

}  // namespace hob::ipc
