#pragma once
// The resource limits of a process, as setrlimit(2) knows them.

#include <sys/resource.h>

#include <optional>
#include <string_view>
#include <vector>

namespace hob::util {

struct resource_limit {
    int resource = 0;  // RLIMIT_*
    rlimit value{};
};

// All limits of this process.
std::vector<resource_limit> own_resource_limits();

// "nofile", "core", …; empty for a resource without a name here.
std::string_view resource_name(int resource);
std::optional<int> resource_named(std::string_view name);

// Sets a limit of this process. A hard limit that this process may not raise stays, and the soft one is cut
// to it. False, and errno: nothing is set. May be called between fork and exec.
bool set_resource_limit(const resource_limit& limit);

}  // namespace hob::util
