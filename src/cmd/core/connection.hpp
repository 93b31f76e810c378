#pragma once
// How a verb's client half talks to the daemon, with the global options applied.

#include <chrono>
#include <string>
#include <string_view>

#include "cmd/core/command.hpp"
#include "lifecycle/connect.hpp"

namespace hob::cmd {

// --timeout, --no-spawn, and a word on a terminal when a start takes long (not with --quiet).
lifecycle::connect_options connect_options_of(const invocation& call);

// One request of an acting verb. The reply is waited for until --timeout, else `reply_limit` from now.
std::string ask(invocation& call, std::string_view method, std::string_view params,
                std::chrono::milliseconds reply_limit);

}  // namespace hob::cmd
