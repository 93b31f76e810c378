#pragma once
// The live view on a terminal while units start or restart: one line for each, redrawn with each event.

#include <string>
#include <string_view>

#include "cmd/core/command.hpp"

namespace hob::cmd {

// Sends one request of an acting verb and shows the units' progress until the reply, which it returns. If the
// daemon ends before it has read the request, the request is sent again to its successor.
std::string request_with_progress(invocation& call, std::string_view method, const std::string& params);

}  // namespace hob::cmd
