#pragma once
// The file in which the daemons of a user note the ports that they have chosen, so that no two instances
// choose the same one before its server listens. A line is "PORT PID START_TIME INSTANCE NAME"; one of a
// process that has ended does not count.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "util/fd.hpp"

namespace hob::unit {

struct port_reservation {
    std::uint16_t port = 0;
    pid_t pid = 0;  // of the daemon, with its start time
    std::uint64_t start_time = 0;
    std::string instance;
    std::string name;  // of the variable
};

// "<state>/.ports": no instance can have that name.
std::string port_reservations_path(const std::string& state_root);

// The reservations of living daemons. Takes no lock, and creates nothing.
std::vector<port_reservation> read_port_reservations(const std::string& path);

// The file, locked until this is destroyed.
class locked_port_reservations {
public:
    // Waits at most limits::port_lock_wait for another daemon. Throws failure(unit_failed) `cannot choose
    // 'a port': …`.
    explicit locked_port_reservations(std::string path);

    const std::vector<port_reservation>& all() const { return all_; }  // of living daemons
    // Replaces those of the instance, and drops those of ended daemons. Throws as the constructor.
    void replace(const std::string& instance, const std::vector<port_reservation>& with);

private:
    const std::string path_;
    util::unique_fd file_;
    std::vector<port_reservation> all_;
};

}  // namespace hob::unit
