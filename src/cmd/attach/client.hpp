#pragma once
// The client of `hob attach`: sends standard input to the daemon, and writes what comes from there to
// standard output. Neither direction waits for the other.

#include <chrono>
#include <optional>
#include <string>

#include "ipc/client.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

struct attach_options {
    std::string unit;
    // See terminal_session.
    bool quiet = false;
    std::optional<std::chrono::milliseconds> linger{};
};

// Returns the exit status. Throws failure, and ipc::not_executed when the daemon has not executed the
// request.
int follow_attachment(ipc::client& daemon, const attach_options& options, util::deadline limit);

}  // namespace hob::cmd
