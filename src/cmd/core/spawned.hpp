#pragma once
// The other side of a start: this process was executed as a daemon by a client that handed over its lock.

#include <optional>
#include <string>
#include <vector>

#include "exit_code.hpp"

namespace hob::cmd {

// Runs the daemon when `words` are those of lifecycle::spawn_daemon; nullopt: they are not. Must be called
// before anything else opens a descriptor.
std::optional<exit_code> run_if_spawned(const std::vector<std::string>& words);

}  // namespace hob::cmd
