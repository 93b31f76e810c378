#pragma once
// Finds which process listens on a TCP port of this machine. A connection to another program's port does not
// make a service ready.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace hob::unit {

enum class port_owner {
    ours,     // a process that `belongs`
    foreign,  // certainly another process
    unknown,  // no process that we can see, as one in another network namespace
};

// `who`: set if foreign, such as "pid 12 (redis-server)" or "another user's program".
port_owner owner_of_port(std::uint16_t port, const std::function<bool(pid_t)>& belongs, std::string& who);

}  // namespace hob::unit
