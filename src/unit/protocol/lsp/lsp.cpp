// The language server protocol.
#include "unit/protocol/lsp/lsp.hpp"

#include "unit/protocol/framing.hpp"
#include "unit/protocol/message_codec.hpp"
#include "unit/spec/worker_protocol.hpp"

namespace hob::unit {

extern constinit const worker_protocol lsp_protocol;
constinit const worker_protocol lsp_protocol{
    .name = "lsp",
    .handshake = true,
    .goodbye = true,
    .settings = true,
    .documents = true,
    .shares_helpers = true,
    .attachable = true,
    .make_framing = make_header_framing,
    .make_codec = [] { return make_jsonrpc_codec(); },
    .make_session = make_lsp_session,
};

}  // namespace hob::unit
