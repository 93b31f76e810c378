#pragma once
// Memory and CPU time of a unit's processes. Only `hob status` needs it: without cgroups it reads two files
// in /proc for each process.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace hob::unit {

struct usage {
    std::int64_t rss_kib = 0;
    std::int64_t cpu_ms = 0;  // user and system
};

// Of `root`, all its descendants and all other processes in `cgroup` (empty: none). With a cgroup, the
// kernel's counters: its memory, if that controller is enabled, and the CPU time of everything that ever ran
// in it. Else from /proc: the CPU time of living processes and of children that they waited for.
usage tree_usage(pid_t root, const std::string& cgroup = {});

}  // namespace hob::unit
