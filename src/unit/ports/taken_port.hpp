#pragma once
// A program that cannot listen says that the address is in use, but not by whom. This finds out.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/spec/port_user.hpp"

namespace hob::unit {

// The ports that these last lines of a program report as in use, the likeliest first; nullopt: no line says
// that a port or an address is in use. Empty: one says so, without a port.
std::optional<std::vector<std::uint16_t>> ports_reported_in_use(const std::vector<std::string>& lines);

// The process that has the port which `lines` report as in use; nullopt: they report none, or no process that
// we can see has it. `expected`: a port that the unit is known to use, for lines without one; 0: none.
std::optional<port_user> find_port_user(const std::vector<std::string>& lines, std::uint16_t expected,
                                        const std::function<bool(pid_t)>& belongs);

}  // namespace hob::unit
