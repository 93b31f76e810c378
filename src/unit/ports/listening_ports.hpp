#pragma once
// Which TCP ports of this machine are listened on.

#include <cstdint>
#include <set>

namespace hob::unit {

// On any address, by anybody. Empty where /proc does not say.
std::set<std::uint16_t> listening_ports();

}  // namespace hob::unit
