#pragma once
// Reaps the children that a process did not start: those that a subreaper inherits.

#include <sys/types.h>

#include <functional>

namespace hob::util {

// Reaps the zombies among this process's children, by pid, but those that `spare` names. Returns how many.
int reap_children_except(const std::function<bool(pid_t)>& spare);

}  // namespace hob::util
