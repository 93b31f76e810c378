#pragma once
// The client of `hob up`: follows what the units print until they have ended, and stops them when it is
// interrupted.

#include <string>

#include "cmd/core/command.hpp"

namespace hob::cmd {

// `params`: of unit.up. `exit_with`: the unit whose status is returned, or empty. Throws failure.
exit_code follow_up(invocation& call, const std::string& params, const std::string& exit_with);

}  // namespace hob::cmd
