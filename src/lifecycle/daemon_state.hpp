#pragma once
// What state the daemon of an instance is in, as a client finds out by a probe (lifecycle/probe.hpp).

#include <optional>
#include <string_view>

namespace hob::lifecycle {

enum class daemon_state {
    alive,     // it has greeted, and runs as this user
    starting,  // locked, but nobody listens yet
    draining,  // locked, and shutting down
    wedged,    // locked, but no greeting within the limit
    orphaned,  // locked by a keeper that pauses before it starts the next daemon: several have crashed
    dead,      // not locked: only in this state may files of the daemon be removed
    denied,    // a system call failed: nothing is known
    foreign,   // directory, socket or server belongs to another user, or is another program
};

// As `status` and `list` show it: alive is "running", dead is "stopped".
std::string_view name_of(daemon_state state);
std::optional<daemon_state> daemon_state_named(std::string_view name);

}  // namespace hob::lifecycle
