#pragma once
// Finds and ends the processes that belong to a unit. Processes that `kill` spares are spared everywhere. So
// are processes marked for another instance, and any hob daemon with its descendants: a unit of one
// project may start the daemon of another, which inherits session, marks and subreaper. The user that a
// process runs as decides nothing: programs such as setpriv and runuser change it.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "unit/spec/spec.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

struct member {
    pid_t pid = 0;
    std::uint64_t start_time = 0;
};

// `kill` ends all processes of a unit, wherever they are.
constexpr bool ends_all(kill_scope kill) { return kill == kill_scope::all || kill == kill_scope::mixed; }

struct scope {
    std::string instance;
    std::string unit;
    kill_scope kill = kill_scope::all;
    pid_t leader = 0;              // the process that hob started; 0: not known
    std::uint64_t start_time = 0;  // of the leader
    // The leader is not reaped, so no other process has its pid. Otherwise a process belongs to the leader's
    // group only if it also has the leader's session and was started no earlier than the leader.
    bool leader_held = false;
    std::string cgroup =
        {};  // scopes all and mixed: processes in it are members as well; empty: there is none
    std::vector<member> successors =
        {};  // of the leader as the main process; the last one is the main process
    // The leader has a terminal. A shell gives each of its jobs there a group of its own: while the leader is
    // held, its group means all of its session.
    bool terminal = false;
    // Scopes all and mixed: found earlier, and members whatever has become of their parents and marks.
    std::vector<member> seen = {};
};

// The processes of the scope, without zombies. While the leader is held it examines our own descendants, else
// all processes.
std::vector<member> find_members(const scope& target);

// Sends the signal, after comparing the start time. False: the process has ended, or EPERM.
bool signal_member(const member& process, int number);

// Sends SIGKILL to the whole cgroup of the scope in one step. False: the scope has no cgroup, the cgroup is
// empty, or it holds a process that must be spared.
bool kill_scope_cgroup(const scope& target);

// Sends the signals, one after the other, to the leader's group: to the whole group at once if every process
// in it gets them, otherwise to each process in turn. Scope main: to the leader alone; scope mixed:
// likewise, except SIGKILL. Only while leader_held. SIGKILL goes to the cgroup as well.
void signal_scope_group(const scope& target, std::initializer_list<int> numbers);

// On a terminal: those that signal_scope_group() signals and that ignore the signal, as shells do.
std::vector<member> find_ignoring(const scope& target, int signal);

// Waits until all of `members` have ended. False: not within the limit.
boost::asio::awaitable<bool> wait_gone(std::vector<member> members, util::deadline limit);

// SIGKILL to the processes of the scope, repeated for those forked meanwhile, until none is left or the limit
// is reached. Logs and returns those that are left.
boost::asio::awaitable<std::vector<member>> end_scope(scope target, util::deadline limit);

}  // namespace hob::unit
