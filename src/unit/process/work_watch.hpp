#pragma once
// Tells whether the processes of a unit compute: whoever waits for something that may never come can end the
// wait once they rest.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <map>

namespace hob::unit {

class work_watch {
public:
    using clock = std::chrono::steady_clock;

    // The last time at which `root` or a descendant was seen to compute, or to be ready to. It looks into
    // /proc, at most once in limits::work_look; the first look of all counts as work.
    clock::time_point last_worked(pid_t root);

private:
    std::map<pid_t, std::uint64_t> ticks_;  // CPU time by process, as of the last look
    clock::time_point looked_{};
    clock::time_point listed_{};  // when the tree was read last
    clock::time_point worked_{};
};

}  // namespace hob::unit
