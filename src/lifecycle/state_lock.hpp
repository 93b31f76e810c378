#pragma once
// The lock on the directory <state>/<key>: only one daemon of an instance uses its database and logs, even if
// the runtime directory has changed since the other one started, as after a login.

#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

// Takes flock(LOCK_EX) on the state directory, which must exist, and writes the file `holder` into it. Waits
// until `limit` for a holder that is shutting down. Throws failure(instance_elsewhere), naming pid and
// socket, if the holder serves. The lock is held as long as the descriptor is open.
util::unique_fd take_state_lock(const instance& where, util::deadline limit);

}  // namespace hob::lifecycle
