#pragma once
// A request of the handshake that runs on its own: two may be open at once, and either may decide.

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "error.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

struct mcp_handshake_request {
    explicit mcp_handshake_request(const boost::asio::any_io_executor& executor) : done(executor) {}
    std::optional<std::string> result;
    std::optional<failure> failed;
    util::manual_reset_event done;

    bool failed_with(error_kind kind) const { return failed && failed->kind() == kind; }
    // The server's own error code.
    std::optional<std::int64_t> error_code() const;
};

util::deadline mcp_handshake_limit();

// Shared: also held by the coroutine that sends it.
std::shared_ptr<mcp_handshake_request> start_mcp_request(session_host& host, std::string method,
                                                         std::string params);

}  // namespace hob::unit
