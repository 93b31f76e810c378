#pragma once
// The client's end of one connection: blocking calls with deadlines, no event loop, as few system calls as
// possible.

#include <sys/socket.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "error.hpp"
#include "ipc/hello.hpp"
#include "ipc/message.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::ipc {

// The request was certainly not executed, because the daemon was ending. The caller may send it to its
// successor.
struct not_executed : std::exception {
    const char* what() const noexcept override { return "the daemon went away before it read the request"; }
};

// A method and its params as raw JSON.
struct early_request {
    std::string_view method;
    std::string_view params;
};

class client {
public:
    // Takes a connected socket. Nothing is read yet.
    client(util::unique_fd socket, ucred peer);

    // Reads the greeting.
    enum class greeting_result {
        greeted,
        timed_out,
        closed,   // before the greeting
        foreign,  // what it sent is no greeting
    };
    greeting_result read_greeting(util::deadline limit);

    const hello& greeting() const { return greeting_; }
    pid_t peer_pid() const { return peer_.pid; }
    // For a server that did not make the socket that it listens at: then the peer is who did.
    void set_peer_pid(pid_t pid) { peer_.pid = pid; }
    uid_t peer_uid() const { return peer_.uid; }
    int socket() const { return socket_.get(); }

    // Sends a request before the greeting is read, so that greeting and reply arrive together: one wait less.
    // Only for what a daemon of any version and state may be asked. call() with the same request then only
    // waits for the reply.
    void send_early(const early_request& request);

    // Gets the notifications that arrive between a request of call() and its reply; empty: they are dropped.
    std::function<void(const incoming& notification)> on_notification;

    // The daemon has said that it shuts down.
    bool told_of_end() const { return greeting_.draining; }
    // Of what is in progress when the connection ends: no_daemon if it has said so, else daemon_lost.
    error_kind kind_of_loss() const;
    // Likewise, of a request that waits for its reply.
    failure lost(cannot tried) const;

    // Sends a request and waits for its reply. Returns the result as raw JSON. Throws the daemon's failure;
    // failure(timeout); not_executed; lost() if the daemon ended between request and reply.
    std::string call(std::string_view method, std::string_view params, util::deadline limit);

    // The next message of any kind. nullopt: the daemon closed the connection. Throws failure(timeout).
    std::optional<incoming> next(util::deadline limit);

    // Throws not_executed if the daemon has closed the connection.
    void send(std::string_view line);
    // The same with a descriptor for the request, which the daemon gets a copy of.
    void send_with_descriptor(std::string_view line, int descriptor);

private:
    incoming take(std::string_view line);

    enum class read_result { line, closed, reset, timed_out };
    read_result read_line(std::string& line, util::deadline limit);

    util::unique_fd socket_;
    ucred peer_;
    hello greeting_;
    std::string buffer_;
    std::size_t consumed_ = 0;
    // What send_early() has sent; call() takes it once.
    struct sent_request {
        std::string id;
        std::string method;
        std::string params;
    };
    std::optional<sent_request> early_;
    unsigned next_id_ = 1;
};

}  // namespace hob::ipc
