#pragma once
// `hob up` as process 1 of a container: it is the daemon itself.

#include <string>

#include "cmd/core/command.hpp"

namespace hob::cmd {

// `params`: of unit.up. `exit_with`: the unit whose status is returned, or empty.
exit_code up_in_foreground(invocation& call, const std::string& params, const std::string& exit_with);

}  // namespace hob::cmd
