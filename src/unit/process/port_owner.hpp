#pragma once
// Who listens on a TCP port of this machine: a port that another program answers says nothing of a service.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <string>

namespace hob::unit {

enum class port_owner {
    ours,     // a process that `belongs`
    foreign,  // surely another one
    unknown,  // nobody that can be seen, as in another network namespace
};

// `who`: filled in when foreign, such as "pid 12 (redis-server)" or "another user".
port_owner owner_of_port(std::uint16_t port, const std::function<bool(pid_t)>& belongs, std::string& who);

}  // namespace hob::unit
