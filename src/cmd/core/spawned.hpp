#pragma once
// The daemon's side of a start: a client has executed this process as a daemon and handed over its lock.

#include <optional>
#include <string>
#include <vector>

#include "exit_code.hpp"

namespace hob::cmd {

// Runs the daemon if `words` are the command line of lifecycle::spawn_daemon(), else nullopt. Must be called
// before any descriptor is opened.
std::optional<exit_code> run_if_spawned(const std::vector<std::string>& words);

}  // namespace hob::cmd
