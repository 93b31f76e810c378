#pragma once
// The status object as a running daemon makes it.

#include <sys/types.h>

#include <string>
#include <vector>

#include "lifecycle/daemon.hpp"

namespace hob::cmd {

// `names`: of these units alone, in this order; all if it is empty. `asked_by`: the process that asks, or 0.
// Throws failure(unit_unknown).
std::string status_report(lifecycle::daemon& daemon, const std::vector<std::string>& names, pid_t asked_by);

}  // namespace hob::cmd
