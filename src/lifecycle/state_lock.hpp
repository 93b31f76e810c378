#pragma once
// The lock on <state>/<key> itself: one daemon of an instance at a time touches its database and logs, even
// when a login has changed the runtime dir under a running one.

#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

// Takes flock(LOCK_EX) on the state dir, which must exist, and writes `holder` into it. A holder that is on
// its way out is waited for until `limit`; one that serves is failure(instance_elsewhere), naming its pid and
// socket. The lock lives as long as the descriptor.
util::unique_fd take_state_lock(const instance& where, util::deadline limit);

}  // namespace hob::lifecycle
