#pragma once
// Socket activation: a service manager listens at the socket of an instance, starts the daemon when somebody
// connects, and hands the listening socket over (sd_listen_fds(3)).

#include <string>

#include "lifecycle/instance.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

// The name, without a type, of the units of a service manager that start the daemon of this instance.
std::string manager_unit(const instance& where);

class handed_socket {
public:
    // Takes the descriptors that LISTEN_PID and LISTEN_FDS name, if they are for this process. Keeps the
    // first that is a listening Unix stream socket bound to the path of this instance's socket, and closes
    // the others. Call it before a descriptor is opened.
    static handed_socket take(const instance& where);

    explicit operator bool() const { return static_cast<bool>(listening_); }
    int fd() const { return listening_.get(); }
    // Why what was handed over is not used, or empty.
    const std::string& problem() const { return problem_; }

    // A start that failed: accepts the clients that wait, and closes their connections. Otherwise the service
    // manager would start the next daemon for them at once, which fails likewise.
    void turn_clients_away() const;

private:
    util::unique_fd listening_;
    std::string problem_;
};

// Listens anew on a handed socket: until then SO_PEERCRED at its clients is that of whoever listened before.
// False: the path does not lead to this socket, as after its file was removed; nobody can reach it.
bool listen_anew(int listening, const std::string& path);

}  // namespace hob::lifecycle
