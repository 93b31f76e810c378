#pragma once
// Frees a new daemon of what it inherited from its caller.

#include <sys/resource.h>

#include <span>
#include <string>
#include <vector>

namespace hob::lifecycle {

// What the processes that the daemon starts get back. Read before daemonize() changes it.
struct caller_settings {
    rlimit nofile{};                       // its soft limit is at least 256, if the hard one allows
    std::vector<std::string> environment;  // K=V
    std::vector<std::string> kept;         // what could not be undone, in words (lifecycle/inherited.hpp)
};

// Changes nothing.
caller_settings read_caller_settings();

// Closes every descriptor above 2 but `keep`, before any library can cache one. With `detach`: setsid,
// chdir("/"), 0, 1 and 2 on /dev/null. Always: umask 077, default signal mask and dispositions but an ignored
// SIGXFSZ, undo_inherited(), and the variables of identity::not_inherited dropped. Fills in `kept`. Throws
// failure(denied) where the caller's directory or standard descriptors cannot be given up.
void daemonize(caller_settings& caller, std::span<const int> keep, bool detach);

}  // namespace hob::lifecycle
