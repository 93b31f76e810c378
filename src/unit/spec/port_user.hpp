#pragma once
// Who has a port that a unit needs.

#include <sys/types.h>

#include <cstdint>
#include <string>

namespace hob::unit {

struct port_user {
    std::uint16_t port = 0;
    pid_t pid = 0;     // 0: a program of another user, which is not known
    std::string name;  // of the program; empty if it is not known

    // "pid 12 (redis-server)" or "another user's program"
    std::string text() const;
    bool operator==(const port_user&) const = default;
};

}  // namespace hob::unit
