#pragma once
// The pids of this process's children that `child` objects watch and will reap. Only one thread uses them.

#include <sys/types.h>

#include <unordered_set>

namespace hob::unit {

std::unordered_set<pid_t>& known_children();

}  // namespace hob::unit
