#pragma once
// How verbs reach the daemon.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "ipc/client.hpp"
#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

struct connect_options {
    util::deadline limit = util::deadline::never();   // of the whole command
    bool spawn = true;                                // --no-spawn: no daemon is then failure(no_daemon)
    bool release_brake = false;                       // `hob daemon`: a crash loop does not hold it back
    std::optional<ipc::question> early;               // sent with the connection, see ipc::client::ask_early
    std::function<void(std::string_view)> tell;       // lines for a waiting person; may be empty
    std::function<void(const ipc::incoming&)> heard;  // what comes before the reply; may be empty
};

// HOB_START_TIMEOUT, else the default. Throws failure(config).
std::chrono::milliseconds start_timeout();

// For an acting verb: connects, waits for a daemon that starts or drains, starts one when there is none.
// Throws failure, always within `limit`, start_timeout and shutdown_timeout.
ipc::client connect_acting(const instance& where, const connect_options& options);

// For a looking verb: connects, or nullopt when there is no daemon. Throws failure(wedged, denied, foreign,
// …); a starting daemon is failure(no_daemon) saying so. A draining one is connected to.
std::optional<ipc::client> connect_looking(const instance& where, util::deadline limit);

// One request of an acting verb, from connection to reply. A daemon that goes away before it has read the
// request (an idle exit, a restart) is waited for and asked again, within the same limits. `reply_limit`
// counts from the request.
std::string request_acting(const instance& where, const connect_options& options, std::string_view method,
                           std::string_view params, util::deadline reply_limit);

}  // namespace hob::lifecycle
