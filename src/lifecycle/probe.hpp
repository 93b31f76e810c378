#pragma once
// Looking: one verdict on the daemon of an instance. Never locks, never changes anything.

#include <optional>

#include "error.hpp"
#include "ipc/client.hpp"
#include "ipc/status_page.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/pid_lock.hpp"
#include "limits.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

enum class daemon_state {
    alive,     // greeted, and the server is ours
    starting,  // locked, but nobody listens yet
    draining,  // locked, and on its way out
    wedged,    // locked, but no greeting within the limit
    dead,      // not locked: the one verdict that permits anything destructive
    denied,    // an errno on the way: nothing is known
    foreign,   // directory, socket or server is not ours, or is not hob
};

const char* name_of(daemon_state seen);

struct probe_result {
    daemon_state seen = daemon_state::dead;
    std::optional<ipc::client> connection;  // alive; draining when it still greets
    pid_t pid = 0;                          // of the daemon, as far as known
    std::optional<ipc::page_content> page;  // what a starting, draining or wedged daemon last published
    std::optional<failure> why;             // wedged, denied, foreign
};

// `limit` is the caller's; a daemon that has not greeted after `patience` is wedged. `early` is sent before
// the greeting is read (ipc::client::ask_early).
probe_result probe(const instance& where, util::deadline limit,
                   std::chrono::milliseconds patience = limits::greeting_timeout,
                   const std::optional<ipc::question>& early = std::nullopt);

// The page, if it was written by the process that holds the lock: its pid and start time say so.
std::optional<ipc::page_content> page_of_holder(const instance& where, pid_t holder);

}  // namespace hob::lifecycle
