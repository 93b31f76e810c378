#pragma once
// The pids of this process's children that `child` objects watch and will reap. Only one thread uses them.

#include <sys/types.h>

#include <unordered_set>

namespace hob::unit {

std::unordered_set<pid_t>& known_children();

// The process below which all processes of units are: the keeper, or without one this process. It is set once
// the keeper is known, and when that is lost.
pid_t root_of_units();
void set_root_of_units(pid_t pid);

}  // namespace hob::unit
