#pragma once
// Ending a daemon from outside, and knowing that it is gone.

#include <sys/types.h>

#include <optional>

#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

struct end_options {
    bool restart = false;  // a successor follows: services that are up stay wanted
    bool now = false;      // SIGKILL to units; a wedged daemon is ended by its pidfd
    util::deadline limit = util::deadline::never();  // of the whole
};

// Returns once the process is gone and the lock is free: the pid that was ended, nullopt when nothing was
// running. Throws failure: wedged (without `now`), denied, foreign, version (a newer daemon is never
// stopped), timeout.
std::optional<pid_t> end_daemon(const instance& where, const end_options& options);

}  // namespace hob::lifecycle
