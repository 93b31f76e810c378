#pragma once
// The ports of [ports]: chosen when the first unit of the instance starts, and kept until none is up.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "unit/ports/port_reservations.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

// For each name the preferred port, or the next above it that nobody listens on, `reserved` does not have for
// another instance, and no other name has. A name in `chosen` keeps its port. Throws failure(unit_failed)
// where there is none.
port_list choose_ports(const port_list& preferred, const port_list& chosen, std::string_view instance,
                       const std::vector<port_reservation>& reserved);

class instance_ports {
public:
    // `path`: see port_reservations_path().
    instance_ports(std::string path, std::string instance);
    ~instance_ports() { release(); }
    instance_ports(const instance_ports&) = delete;
    instance_ports& operator=(const instance_ports&) = delete;

    // Names that are new get a port at the next choose(); those that are gone lose theirs.
    void prefer(port_list ports);
    // Chooses and reserves those that are not chosen yet. Throws failure(unit_failed).
    const port_list& choose();
    void release();                                      // no unit is up
    const port_list& chosen() const { return chosen_; }  // in file order

private:
    void choose_and_reserve();

    const std::string path_;
    const std::string instance_;
    port_list preferred_;
    port_list chosen_;
};

}  // namespace hob::unit
