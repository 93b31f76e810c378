#pragma once
// The client of `hob attach` to the terminal, or to the open standard input, of a service.

#include <chrono>
#include <optional>
#include <string>

#include "ipc/client.hpp"
#include "ipc/message.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

struct terminal_session {
    ipc::client& daemon;
    const std::string& unit;
    util::deadline limit;
    bool quiet = false;  // says nothing of its own
    // From the end of input that is not typed until it leaves; nullopt: until the output pauses.
    std::optional<std::chrono::milliseconds> linger{};
};

// The request `attach_id` was sent; `attached` is the daemon's first notification about it. Returns the exit
// status. Throws failure.
int follow_terminal(const terminal_session& session, std::string_view attach_id,
                    const ipc::incoming& attached);

}  // namespace hob::cmd
