#pragma once
// The client's end of one connection: blocking calls with deadlines, no event loop, as few system calls as
// the round trip needs.

#include <sys/socket.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/hello.hpp"
#include "ipc/message.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::ipc {

// The request was certainly not executed, because the daemon was going away: the caller may look again.
struct not_executed : std::exception {
    const char* what() const noexcept override { return "the daemon went away before it read the request"; }
};

// What is asked: a method and its params as raw JSON.
struct question {
    std::string_view method;
    std::string_view params;
};

class client {
public:
    // Takes a connected socket. Nothing is read yet.
    client(util::unique_fd socket, ucred peer);

    // Reads the greeting. nullopt and why() when there is none within the limit.
    enum class silence { none, timed_out, closed, foreign };
    silence read_greeting(util::deadline limit);

    const hello& greeting() const { return greeting_; }
    pid_t peer_pid() const { return peer_.pid; }
    uid_t peer_uid() const { return peer_.uid; }
    int socket() const { return socket_.get(); }

    // Sends a request before the greeting is read, so that both come back together: one wait less. Only for
    // what may be asked of any daemon, of whatever version and state. call() with the same then only waits.
    void ask_early(const question& asked);

    // What comes between a request of call() and its reply; empty: it is dropped.
    std::function<void(const incoming& notification)> heard;

    // Sends a request and waits for its reply. Returns the result as
    // raw JSON. Throws the daemon's failure; failure(timeout); not_executed; failure(no_daemon) when the
    // daemon ended between the request and its reply.
    std::string call(std::string_view method, std::string_view params, util::deadline limit);

    // The next message, whatever it is. nullopt: the daemon closed the connection. Throws failure(timeout).
    std::optional<incoming> next(util::deadline limit);

    // Throws not_executed when the daemon has closed.
    void send(std::string_view line);
    // The same with a descriptor for the request, which the daemon gets a copy of.
    void send_with_descriptor(std::string_view line, int descriptor);

private:
    enum class got { line, closed, reset, timed_out };
    got read_line(std::string& line, util::deadline limit);

    util::unique_fd socket_;
    ucred peer_;
    hello greeting_;
    std::string buffer_;
    std::size_t consumed_ = 0;
    // What ask_early sent; call() takes it once.
    struct sent_early {
        std::string id;
        std::string method;
        std::string params;
    };
    std::optional<sent_early> early_;
    unsigned next_id_ = 1;
};

}  // namespace hob::ipc
