#include "unit/protocol/message_codec.hpp"

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

protocol make_protocol(worker_protocol which) {
    switch (which) {
        case worker_protocol::lsp:
            return {std::make_unique<header_framing>(), make_jsonrpc_codec(), make_lsp_session()};
        case worker_protocol::dap:
            return {std::make_unique<header_framing>(), make_dap_codec(), make_dap_session()};
        case worker_protocol::mcp:
            return {std::make_unique<line_framing>(), make_jsonrpc_codec(cancel_form::mcp),
                    make_mcp_session()};
        case worker_protocol::lines:
            return {std::make_unique<line_framing>(), make_lines_codec(),
                    std::make_shared<protocol_session>()};
        case worker_protocol::jsonrpc:
            break;
    }
    return {std::make_unique<line_framing>(), make_jsonrpc_codec(), std::make_shared<protocol_session>()};
}

}  // namespace hob::unit
