#pragma once
// The params of `worker.call`, as the client makes them of its options and the daemon reads them.

#include <string>
#include <string_view>

#include "cmd/core/command.hpp"
#include "unit/protocol/protocol_session.hpp"

namespace hob::cmd {

// Throws failure(usage) for what does not go together.
std::string call_request_of(const invocation& call);

struct call_request {
    std::string unit;
    unit::call_request wish;
    bool stream = false;  // events as they come
};

// Throws failure(usage).
call_request parse_call(std::string_view raw);
// The unit and timeout_ms alone, of `worker.list` and `worker.capabilities`.
call_request parse_about(std::string_view raw);

}  // namespace hob::cmd
