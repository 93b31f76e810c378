#pragma once
// What a unit's processes hold and have used, from /proc. Only asked for by `hob status`: it reads two files
// for each process.

#include <sys/types.h>

#include <cstdint>

namespace hob::unit {

struct usage {
    std::int64_t rss_kib = 0;
    std::int64_t cpu_ms = 0;  // user and system, of living ones and of children that they waited for
};

// Of `root` and all its descendants.
usage tree_usage(pid_t root);

}  // namespace hob::unit
