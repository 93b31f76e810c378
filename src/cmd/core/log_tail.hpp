#pragma once
// The end of a unit's log, for a person who is told that the unit has failed.

#include <cstddef>
#include <string>

#include "lifecycle/instance.hpp"

namespace hob::cmd {

// The last `count` records, one a line, each with the unit's name before it; empty when there are none.
std::string last_log_lines(const lifecycle::instance& where, const std::string& unit, std::size_t count);

}  // namespace hob::cmd
