// The one list of the protocols that workers speak.

#include "unit/protocol/protocols.hpp"

#include <algorithm>

namespace hob::unit {

extern constinit const worker_protocol dap_protocol;
extern constinit const worker_protocol lines_protocol;
extern constinit const worker_protocol lsp_protocol;
extern constinit const worker_protocol mcp_protocol;

namespace {

// Sorted by name.
constexpr const worker_protocol* table[] = {
    &dap_protocol, &jsonrpc_protocol, &lines_protocol, &lsp_protocol, &mcp_protocol,
};

}  // namespace

std::span<const worker_protocol* const> all_protocols() { return table; }

const worker_protocol* find_protocol(std::string_view name) {
    const auto found =
        std::lower_bound(std::begin(table), std::end(table), name,
                         [](const worker_protocol* each, std::string_view key) { return each->name < key; });
    return found != std::end(table) && (*found)->name == name ? *found : nullptr;
}

protocol_instance instantiate(const worker_protocol& protocol) {
    return {&protocol, protocol.make_framing(), protocol.make_codec(), protocol.make_session()};
}

}  // namespace hob::unit
