#include "unit/protocol/message_codec.hpp"

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

protocol make_protocol(worker_protocol which) {
    switch (which) {
        case worker_protocol::lsp:
            return {std::make_unique<header_framing>(), make_jsonrpc_dialect(), make_lsp_script()};
        case worker_protocol::dap:
            return {std::make_unique<header_framing>(), make_dap_dialect(), make_dap_script()};
        case worker_protocol::mcp:
            return {std::make_unique<line_framing>(), make_jsonrpc_dialect(cancel_form::mcp),
                    make_mcp_script()};
        case worker_protocol::lines:
            return {std::make_unique<line_framing>(), make_lines_dialect(), std::make_shared<script>()};
        case worker_protocol::jsonrpc:
            break;
    }
    return {std::make_unique<line_framing>(), make_jsonrpc_dialect(), std::make_shared<script>()};
}

}  // namespace hob::unit
