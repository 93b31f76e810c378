// The model context protocol.
#include "unit/protocol/mcp/mcp.hpp"

#include "unit/protocol/framing.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/spec/worker_protocol.hpp"

namespace hob::unit {

extern constinit const worker_protocol mcp_protocol;
constinit const worker_protocol mcp_protocol{
    .name = "mcp",
    .handshake = true,
    .make_framing = make_line_framing,
    .make_codec = [] { return make_jsonrpc_codec(cancel_form::mcp); },
    .make_session = make_mcp_session,
};

}  // namespace hob::unit
