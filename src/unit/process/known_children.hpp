#pragma once
// The pids of this process's own children that a `child` object watches and will reap. One thread.

#include <sys/types.h>

#include <unordered_set>

namespace hob::unit {

std::unordered_set<pid_t>& known_children();

}  // namespace hob::unit
