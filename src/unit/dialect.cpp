#include "unit/dialect.hpp"

namespace hob::unit {

std::optional<protocol> make_protocol(worker_protocol which) {
    switch (which) {
        case worker_protocol::jsonrpc:
            return protocol{std::make_unique<line_framing>(), make_jsonrpc_dialect()};
        case worker_protocol::lines:
            return protocol{std::make_unique<line_framing>(), make_lines_dialect()};
        case worker_protocol::lsp:
        case worker_protocol::dap:
        case worker_protocol::mcp:
            break;
    }
    return std::nullopt;
}

}  // namespace hob::unit
