#pragma once
// One accepted connection: what server.cpp makes of each client. Rules: doc/protocol.md sections 2, 4 and 5.

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
    virtual void flight_began() = 0;
    virtual void flight_ended() = 0;
    virtual void flushed() = 0;                    // an outbox became empty
    virtual void closed(connection& which) = 0;    // the descriptor is free
    virtual void finished(connection& which) = 0;  // closed, and nothing of it is in flight: may be let go
    virtual util::poll_set& waiting() = 0;         // where connections wait for their sockets
    std::string spare_batch;                       // memory for replies, lent to whoever is in its turn

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

    // Greets, and takes what the client has sent without waiting for that.
    void start(std::string_view hello_line);

    void notify(std::string_view method, std::string_view params_raw) override;
    std::size_t backlog() const override { return outbox_.bytes(); }
    bool gone() const override { return gone_ || closed_; }
    boost::asio::awaitable<void> drained() override;
    util::unique_fd take_descriptor() override;

    void event(std::string_view line);  // may be lost

    // The socket is ready for `events`, as epoll says them. True: it is to have a turn that reads.
    bool woken(std::uint32_t events);
    // A turn: reads once, handles every whole line, and in the end sends all replies at once.
    void begin_turn(bool reads);
    // Between the two: sends what there is, and goes on with what the client has sent meanwhile. False:
    // nothing.
    bool again();
    void end_turn();

    void cancel_flights();  // each is answered with an error
    void close();           // at once; cancels what only this client was waiting for
    void abandon();         // close, and forget the host

    bool is_closed() const { return closed_; }
    bool is_flushed() const { return outbox_.empty(); }

private:
    // A request in a suspended handler; held by the list and by its coroutine's end.
    struct flight {
        std::string id;
        std::string method;
        boost::asio::cancellation_signal cancel;
    };
    using flight_list = std::list<std::shared_ptr<flight>>;

    void turn(bool reads);
    bool read_some();
    void keep_descriptors(msghdr& message);
    void take_lines();
    void take(const frame& received);
    void handle(request wanted);
    void take_off(const dispatcher::suspended& handler, request wanted);
    void land(const std::shared_ptr<flight>& done, const std::exception_ptr& thrown,
              const std::string& result);
    void answer(std::string_view id, std::string_view result);
    void answer_thrown(std::string_view id, std::string_view method, const std::exception_ptr& thrown);

    void ring_room();
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
    flight_list flights_;
    std::deque<util::unique_fd> descriptors_;  // came with requests and are not taken yet
    std::unique_ptr<util::notifier> room_;     // rings when something was sent; made by the first who waits
    std::string* batch_ = nullptr;             // what is sent at the end of this turn; set during a turn only
    std::string turn_batch_;                   // what batch_ points to
    bool end_of_input_ = false;
    bool gone_ = false;  // nothing can be sent any more; what was sent before is still read
    bool closed_ = false;
    std::optional<std::uint32_t>
        watched_;  // what the host's poll_set was asked to tell; none: it is not in it
};

}  // namespace hob::ipc
