#pragma once
// Waits for the next message of the daemon, and notices when the reader of standard output goes away.

#include "ipc/client.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

enum class followed {
    message,      // in `into`
    daemon_gone,  // the connection was closed
    reader_gone,  // nobody reads our standard output any more
    tick,         // `tick` is over
    key,          // `keys` can be read
};

// Throws failure(timeout) at `limit`.
followed follow(ipc::client& from, ipc::incoming& into, util::deadline limit, util::deadline tick,
                int keys = -1);

// From here on an interrupt ends the process with status 0: to end a verb that never ends by itself is no
// failure. Standard output must have been flushed.
void interrupt_is_success();

}  // namespace hob::cmd
