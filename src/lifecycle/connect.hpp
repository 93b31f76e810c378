#pragma once
// How verbs connect to the daemon. For a single request, see request.hpp.

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>

#include "ipc/client.hpp"
#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

struct connect_options {
    util::deadline limit = util::deadline::never();  // of the whole command
    bool spawn = true;                               // --no-spawn: no daemon is then failure(no_daemon)
    bool release_brake = false;                      // start in spite of a crash loop
    std::optional<ipc::early_request> early;         // sent with the connection, see ipc::client::send_early
    std::function<void(std::string_view)> on_wait;   // gets a line for a waiting person; may be empty
};

// From the environment, else the default. Throws failure(config).
std::chrono::milliseconds start_timeout();

// For an acting verb: connects. Waits for a daemon that starts or drains, and starts one if there is none.
// Throws failure, always within `limit`, start_timeout and shutdown_timeout.
ipc::client connect_acting(const instance& where, const connect_options& options);

// For a looking verb: connects, also to a draining daemon. nullopt: there is no daemon. Throws
// failure(wedged, denied, foreign, …), and failure(no_daemon) while the daemon is still starting.
std::optional<ipc::client> connect_looking(const instance& where, util::deadline limit);

}  // namespace hob::lifecycle
