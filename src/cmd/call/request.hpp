#pragma once
// The params of `worker.call`: made by the client, read by the daemon.

#include <string>
#include <string_view>

#include "cmd/core/command.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::cmd {

// Throws failure(usage) for options that contradict each other.
std::string make_call_params(const invocation& call);

struct worker_call_params {
    std::string unit;
    unit::call_request call;
    bool stream = false;  // send the events as they come
};

// Throws failure(usage).
worker_call_params parse_call_params(std::string_view raw);
// The params of `worker.list` and `worker.capabilities`: the unit and timeout_ms.
worker_call_params parse_about_params(std::string_view raw);

}  // namespace hob::cmd
