#pragma once
// How the client half of a verb connects to the daemon, as the global options say.

#include <chrono>
#include <string>
#include <string_view>

#include "cmd/core/command.hpp"
#include "lifecycle/connect.hpp"

namespace hob::cmd {

// From --timeout and --no-spawn. On a terminal, and without --quiet, it says when a start takes long.
lifecycle::connect_options connect_options_of(const invocation& call);

// One request of an acting verb that may be executed twice: it is sent again when the daemon dies before it
// replies. Waits for the reply until --timeout, else for `reply_limit`.
std::string ask(invocation& call, std::string_view method, std::string_view params,
                std::chrono::milliseconds reply_limit);

// For a verb that needs no daemon but notes_config: looks at the greeting of the daemon, if there is one.
void look_at_greeting(invocation& call);

}  // namespace hob::cmd
