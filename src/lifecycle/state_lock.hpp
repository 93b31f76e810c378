#pragma once
// The lock on the directory <state>/<key>: only one daemon of an instance uses its database and logs, even if
// the runtime directory is another one, as after a login, or looks different, as in another mount namespace.

#include <optional>
#include <string>

#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/keeper_link.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

// flock(LOCK_EX) on the directory, and an OFD write lock on the file `holder` in it, which says who holds it:
// pid, socket, whether it shuts down, start time, pid of the keeper, each in a line.
class state_lock {
public:
    state_lock() = default;
    // Waits until `limit` for a holder that is shutting down. Throws failure(instance_elsewhere), soon, if
    // the holder serves. The directory must exist.
    static state_lock take(const instance& where, util::deadline limit, pid_t keeper = 0);

    // That of a daemon that died, from its keeper. Throws failure(internal).
    static state_lock resume(const instance& where, held_entry& held, pid_t keeper);
    void hold_with(keeper_link& keeper) const;

    // Others wait for the end of this process from here on.
    void mark_draining() const;
    // query_state_lock() finds no holder any more. The directory stays locked until the process ends.
    void unmark() { holder_.reset(); }

private:
    void write_holder(const instance& where, pid_t keeper);

    util::unique_fd directory_;
    util::unique_fd holder_;
    off_t state_at_ = 0;  // offset in the file
};

struct state_holder {
    pid_t pid = 0;       // 0: the file could not be written
    std::string socket;  // its path, as the holder sees it
    bool draining = false;
    bool locked = false;   // it lives, and has not ended its work
    bool visible = false;  // `pid` means the same process here
    pid_t keeper = 0;      // of the daemon; 0: it has none
};

// Who holds the lock. Takes nothing. nullopt: no daemon, or one that has just begun to start.
std::optional<state_holder> query_state_lock(const instance& where);

// Lets the next start happen at once, in spite of earlier failures: also that by a keeper that pauses.
void release_brake(const instance& where);

// That the instance already runs where it cannot be reached from here.
failure runs_elsewhere(const instance& where, const state_holder& holder);

}  // namespace hob::lifecycle
