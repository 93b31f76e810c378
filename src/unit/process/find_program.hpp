#pragma once
// Finds the file that a unit's argv[0] names.

#include <string>

#include "unit/process/child.hpp"

namespace hob::unit {

// A name with a slash is returned as it is: execve takes it relative to the unit's directory. Another is
// looked up in the PATH of the unit's environment. Throws failure(unit_failed) when there is no such program.
std::string find_program(const child_options& options);

}  // namespace hob::unit
