#pragma once
// Ends a daemon from outside.

#include <sys/types.h>

#include <optional>

#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

struct end_options {
    bool restart = false;                            // a successor follows and resumes what was running
    bool now = false;                                // kills at once; a wedged daemon is killed too
    util::deadline limit = util::deadline::never();  // of the whole call
};

// Returns once the process is gone and the lock is free. The pid of the daemon that has ended; nullopt: none
// was running. Throws failure: wedged (without `now`), denied, foreign, version (a newer daemon is not
// ended), timeout.
std::optional<pid_t> end_daemon(const instance& where, const end_options& options);

}  // namespace hob::lifecycle
