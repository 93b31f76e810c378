#pragma once
// What a unit's processes hold and have used. Only asked for by `hob status`: from /proc it reads two files
// for each process.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace hob::unit {

struct usage {
    std::int64_t rss_kib = 0;
    std::int64_t cpu_ms = 0;  // user and system
};

// Of `root`, all its descendants and whoever else lives in `cgroup` (empty: none). What the kernel counts for
// the cgroup: its memory, where that controller is enabled, and the CPU time of all that ever ran in it. Else
// from /proc: the CPU time of those that live, and of children that they waited for.
usage tree_usage(pid_t root, const std::string& cgroup = {});

}  // namespace hob::unit
