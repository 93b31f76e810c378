#pragma once
// Ends a daemon from outside.

#include <sys/types.h>

#include <optional>
#include <string>

#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

struct end_options {
    bool restart = false;                            // a successor follows and resumes what was running
    bool now = false;                                // kills at once; a wedged daemon is killed too
    util::deadline limit = util::deadline::never();  // of the whole call
};

struct ended_daemon {
    std::optional<pid_t> pid;  // nullopt: none was running
    // What its farewell said of the parts that it ended, an array as raw JSON; empty: there was nothing to
    // say, or nobody to hear it.
    std::string units_json;
};

// Returns once the process is gone and the lock is free. Throws failure: wedged (without `now`), denied,
// foreign, version (a newer daemon is not ended), timeout.
ended_daemon end_daemon(const instance& where, const end_options& options);

}  // namespace hob::lifecycle
