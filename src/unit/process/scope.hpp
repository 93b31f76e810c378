#pragma once
// Which processes belong to a unit, beyond the one that was started, and how they are ended. What `kill`
// spares is spared by all of it, and so are processes marked for another instance and any hob daemon with its
// descendants: a unit of one project may well have started the daemon of another, which inherits session,
// marks and subreaper.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "unit/spec/spec.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

struct scope {
    std::string instance;
    std::string unit;
    kill_scope kill = kill_scope::all;
    pid_t leader = 0;              // the process that was started; 0: not known
    std::uint64_t start_time = 0;  // of the leader
    // The leader has not been reaped, so its number means it and nobody else. Without that, its group and
    // session count only together and with a start no earlier than the leader's.
    bool leader_held = false;
    std::string cgroup = {};  // scope all: whoever lives in it is a member, too; empty: there is none
};

struct member {
    pid_t pid = 0;
    std::uint64_t start_time = 0;
};

// Living processes (no zombies) of this scope. Reads once what /proc says of our own descendants while the
// leader is held, else of all processes.
std::vector<member> find_members(const scope& wanted);

// Through a pidfd, after the start time has been compared. False: gone, or not permitted (errno EPERM).
bool signal_member(const member& target, int number);

// SIGKILL in one step to the scope's cgroup. False: it has none, nobody lives there, or somebody who does is
// spared.
bool kill_scope_cgroup(const scope& wanted);

// Signals, one after the other, to the leader's group: at once for all of it where nobody in it is spared,
// else one by one. Scope main: to the leader alone. Only while leader_held. SIGKILL takes the cgroup along.
void signal_scope_group(const scope& wanted, std::initializer_list<int> numbers);

// Waits until all of `members` are gone. False: not within the limit.
boost::asio::awaitable<bool> wait_gone(std::vector<member> members, util::deadline limit);

// SIGKILL to what is left of the scope, again for what it forked meanwhile, until nothing is; logs and
// returns what remains.
boost::asio::awaitable<std::vector<member>> end_scope(scope wanted, util::deadline limit);

}  // namespace hob::unit
