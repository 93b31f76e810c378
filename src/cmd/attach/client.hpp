#pragma once
// The client of `hob attach`: sends standard input to the daemon, and writes what comes from there to
// standard output. Neither direction waits for the other.

#include <string>

#include "ipc/client.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

// Returns the exit status. Throws failure, and ipc::not_executed when the daemon has not executed the
// request.
int follow_attachment(ipc::client& daemon, const std::string& unit, util::deadline limit);

}  // namespace hob::cmd
