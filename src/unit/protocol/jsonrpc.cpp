// Plain JSON-RPC 2.0: one text a line. The base session does all that it needs.

#include "unit/protocol/framing.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "unit/spec/worker_protocol.hpp"

namespace hob::unit {

constinit const worker_protocol jsonrpc_protocol{
    .name = "jsonrpc",
    .attachable = true,
    .make_framing = make_line_framing,
    .make_codec = [] { return make_jsonrpc_codec(); },
    .make_session = [] { return std::make_shared<protocol_session>(); },
};

}  // namespace hob::unit
