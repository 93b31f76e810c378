#pragma once
// The daemon's half of `hob up`, for its clients and for a daemon in the foreground.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cmd/handlers/handler_context.hpp"
#include "cmd/units/request.hpp"
#include "unit/spec/spec.hpp"

namespace hob::cmd {

// A unit whose output is shown.
struct up_unit {
    std::string name;
    bool ours = false;  // it did not run before, and is started or run now
    // The end of its log; 0: it has none. What comes after it is new.
    std::uint64_t log_inode = 0;
    std::uint64_t log_size = 0;
};

struct up_session {
    std::vector<std::string> units;  // to be started
    bool resumes = false;            // nothing is started: it is followed
    std::string exit_with;           // its end is the end; empty: none
    bool exit_with_is_task = false;
    std::string token;  // of the run of this task
    up_mark mark;       // of this service, when the first daemon was asked
    std::vector<up_unit> shown;
    std::vector<std::string> by_themselves;               // units that start by themselves from now on
    std::optional<std::vector<std::string>> environment;  // K=V, of the caller
};

struct up_end {
    bool shuts_down = false;  // the daemon ends, and all units with it
    struct failed_unit {
        std::string name, reason;
    };
    std::vector<failed_unit> failed{};  // for good
    // Of `exit_with`: its exit status as a shell has it; nullopt: it has none, and why.
    std::optional<int> status{};
    std::string no_status{};
};

// Which units the request means. It is the user's consent to them. `by`: the process that asks. Starts
// nothing. Throws failure.
up_session plan_up(handler_context context, unit_request request, pid_t by);

// Starts the units, and returns when all that it shows have ended, or `exit_with` has. What it started goes
// on when it is cancelled.
boost::asio::awaitable<up_end> bring_up(handler_context context, up_session session);

}  // namespace hob::cmd
