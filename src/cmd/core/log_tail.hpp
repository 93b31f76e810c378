#pragma once
// The end of a unit's log, shown when the unit has failed.

#include <cstddef>
#include <string>

#include "lifecycle/instance.hpp"

namespace hob::cmd {

// The last `count` records, one a line, each after the unit's name. Empty if there are none.
std::string last_log_lines(const lifecycle::instance& where, const std::string& unit, std::size_t count);

}  // namespace hob::cmd
