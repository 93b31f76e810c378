#pragma once
// Which file a unit's argv[0] means.

#include <string>

#include "unit/process/child.hpp"

namespace hob::unit {

// With a slash: as it is (execve takes it relative to the unit's directory). Without: looked up in the PATH
// of the unit's environment. Throws failure(unit_failed) when nothing is found.
std::string find_program(const child_options& options);

}  // namespace hob::unit
