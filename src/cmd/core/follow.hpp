#pragma once
// Waiting for the daemon's next word while a person, or a program on our standard output, may go away.

#include "ipc/client.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

enum class followed {
    message,      // `into` is filled
    daemon_gone,  // the connection was closed
    reader_gone,  // nobody reads our standard output any more
    tick,         // `tick` is over
    key,          // `keys` can be read
};

// Throws failure(timeout) when `limit` is over.
followed follow(ipc::client& from, ipc::incoming& into, util::deadline limit, util::deadline tick,
                int keys = -1);

// From here on an interrupt ends the process with status 0: ending what would never end by itself is no
// failure. What was printed must be flushed already.
void interrupt_is_success();

}  // namespace hob::cmd
