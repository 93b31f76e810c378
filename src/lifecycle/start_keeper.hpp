#pragma once
// How a daemon comes to its keeper: the first one forks away from it, each later one is executed by it.

#include <optional>

#include "lifecycle/daemonize.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/keeper_link.hpp"

namespace hob::lifecycle {

// Makes this process the keeper of a daemon, and returns in a new process, the daemon. The keeper keeps
// neither `lock` nor `outcome` (-1: there is none) open, and ends as the last daemon does; it never returns
// from here. An empty handle, in this process: there can be no keeper, and errno says why.
keeper_handle fork_from_keeper(const instance& where, const caller_settings& caller, int lock, int outcome);

// Whether one has executed this process. Only until inherited_keeper() was called.
bool is_started_by_keeper();

// The keeper that has executed this process as its next daemon; nullopt: none has. Call it before anything
// reads the environment.
std::optional<keeper_handle> inherited_keeper();

struct daemon_options;

// For a daemon of `options.where` that a keeper has executed: makes its process that of a daemon, as daemonize()
// does, and takes what is held. Throws failure, and logs why.
void take_over(daemon_options& options, keeper_handle keeper, bool detach);
// After take_over(): the lock of `options.where`. Throws failure, and pid_file_lost.
void resume_lock(daemon_options& options);

// What a daemon holds with its keeper under these keys.
inline constexpr const char* lock_key = "lock";
inline constexpr const char* socket_key = "socket";
inline constexpr const char* state_lock_key = "state";
inline constexpr const char* program_key = "program";    // see keeper::daemon_program
inline constexpr const char* handover_key = "handover";  // the note: the pid in which another program follows
inline constexpr const char* client_prefix = "client/";  // NUMBER: a connection for that program

}  // namespace hob::lifecycle
