#pragma once
// The controllers of cgroup v2 that limit what a unit uses. The kernel enables them only for the children of
// a cgroup without processes of its own. So the daemon moves, with what it has started, into a leaf below its
// cgroup: only when a unit has limits, and never if others live in that cgroup.

#include <sys/types.h>

#include <string>
#include <string_view>

namespace hob::unit {

struct controllers {
    bool memory = false;
    bool pids = false;
    bool cpu = false;
};

// In the directory of an instance: the cgroup of its daemon. No unit has such a name.
inline constexpr std::string_view daemon_leaf = "/+daemon";

// Enables the controller for the cgroups of units, which are in `home`, a directory in the daemon's cgroup.
// False: the host does not permit it.
bool enable_controller(const std::string& home, bool controllers::*which);

// This process and its keeper, or twice this process. False: it cannot be made or entered.
bool enter_daemon_leaf(const std::string& home, pid_t keeper);
// Undoes what enable_controller() did, once no unit has a cgroup in `home`.
void leave_daemon_leaf(const std::string& home);

// Whether the kernel has killed processes in the cgroup because memory was short, and whose limit that was.
enum class out_of_memory { no, own_limit, elsewhere };
out_of_memory memory_verdict(const std::string& cgroup);

}  // namespace hob::unit
