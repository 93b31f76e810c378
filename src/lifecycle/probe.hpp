#pragma once
// What state the daemon of an instance is in. Takes no lock and changes nothing.

#include <optional>

#include "error.hpp"
#include "ipc/client.hpp"
#include "ipc/status_page.hpp"
#include "lifecycle/daemon_state.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/pid_lock.hpp"
#include "limits.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

struct probe_result {
    daemon_state state = daemon_state::dead;
    std::optional<ipc::client> connection;  // alive; also draining, if it still greets
    pid_t pid = 0;                          // of the daemon, as far as known
    std::optional<ipc::page_content> page;  // what a starting, draining or wedged daemon last published
    std::optional<failure> problem;         // wedged, denied, foreign
    bool hung_up = false;                   // the server closed the connection before it greeted
    bool silent = false;  // foreign: something listens, and is silent, while no daemon lives
};

// A service manager may listen at the socket and start the daemon for whoever connects. So only who wants a
// daemon to be started connects without having seen that one lives.
enum class first_look {
    lock,    // connects only if a daemon lives
    socket,  // connects: the fastest way to a daemon that lives
};

// Gets each greeting that says that the configuration file is not what the daemon has read. One for the whole
// process; nullptr: nobody wants to know.
using config_note = void (*)(const ipc::hello& greeting);
void set_config_note(config_note note);

// A daemon that has not greeted after `patience`, or at `limit`, is wedged. `early` is sent before the
// greeting is read (ipc::client::send_early).
probe_result probe(const instance& where, util::deadline limit,
                   std::chrono::milliseconds patience = limits::greeting_timeout,
                   const std::optional<ipc::early_request>& early = std::nullopt,
                   first_look first = first_look::lock);

// The page, if the process `holder` has written it: pid and start time must match.
std::optional<ipc::page_content> page_of_holder(const instance& where, pid_t holder);

}  // namespace hob::lifecycle
