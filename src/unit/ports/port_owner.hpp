#pragma once
// Finds which process listens on a TCP port of this machine. A connection to another program's port does not
// make a service ready.

#include <sys/types.h>

#include <cstdint>
#include <functional>

#include "unit/spec/port_user.hpp"

namespace hob::unit {

enum class port_owner {
    ours,     // a process that `belongs`
    foreign,  // certainly another process
    unknown,  // no process that we can see, as one in another network namespace
};

// `user`: set if foreign.
port_owner owner_of_port(std::uint16_t port, const std::function<bool(pid_t)>& belongs, port_user& user);

// The same of a port that a program could not bind: UDP counts as well.
port_owner owner_of_bound_port(std::uint16_t port, const std::function<bool(pid_t)>& belongs,
                               port_user& user);

}  // namespace hob::unit
