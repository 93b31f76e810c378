#pragma once
// The client's half of `hob attach`: bytes from our standard input to the daemon, bytes from there to our
// standard output. Neither waits for the other.

#include <string>

#include "ipc/client.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

// Returns the status to exit with. Throws failure; ipc::not_executed when nothing was begun.
int follow_attachment(ipc::client& daemon, const std::string& unit, util::deadline limit);

}  // namespace hob::cmd
