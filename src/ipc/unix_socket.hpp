#pragma once
// Unix sockets by path, of any length: one over 107 bytes is reached through /proc/self/fd/N/NAME.

#include <string>

#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::ipc {

struct connected {
    util::unique_fd socket;  // non-blocking; empty on failure
    int error = 0;           // errno of the failure; EAGAIN: the backlog was full until the limit
};

connected connect_unix(const std::string& path, util::deadline limit);

// A bound, not yet listening, non-blocking socket with mode 0600 (fchmod before bind: the umask alone gives
// 0700). Whatever stands at `path` must have been removed. Throws failure(denied).
util::unique_fd bind_unix(const std::string& path);

}  // namespace hob::ipc
