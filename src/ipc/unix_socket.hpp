#pragma once
// Unix sockets by path. A path over 107 bytes is used through /proc/self/fd/N/NAME.

#include <string>

#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::ipc {

struct connected {
    util::unique_fd socket;  // non-blocking; empty on failure
    int error = 0;           // errno of the failure; EAGAIN: the backlog was full until the limit
};

connected connect_unix(const std::string& path, util::deadline limit);

// A non-blocking socket that is bound and does not listen yet, with mode 0600 (by fchmod before bind: the
// umask alone gives 0700). `path` must not exist. Throws failure(denied).
util::unique_fd bind_unix(const std::string& path);

// Whether a socket bound to this path listens, by /proc/net/unix: a connection could start what listens.
// False where that cannot be read.
bool is_listened_on(const std::string& path);

// The next client, non-blocking. Empty and errno on failure: EAGAIN when there is none.
util::unique_fd accept_unix(int listener);

}  // namespace hob::ipc
