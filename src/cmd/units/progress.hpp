#pragma once
// The live view on a terminal while units start or restart: one line for each, redrawn with each event.

#include <string>

#include "cmd/core/command.hpp"
#include "lifecycle/request.hpp"

namespace hob::cmd {

// As lifecycle::request_acting, and shows the units' progress until the reply.
std::string request_with_progress(invocation& call, const lifecycle::request& wanted);

}  // namespace hob::cmd
