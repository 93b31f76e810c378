#pragma once
// Completes the params of a request that was given by `file= line= col=` with what the protocol requires
// beside the position.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

// Where a call points.
struct lsp_place {
    std::string uri;                           // empty: at no document in a file
    std::string_view text;                     // of the document
    std::optional<std::int64_t> line, column;  // from 1
    std::string diagnostics = "[]";            // of the document; raw
    bool columns_are_bytes = false;
};

// Members that `params` has are kept.
std::string complete_params(const std::string& method, std::string params, const lsp_place& place);

// The method takes diagnostics in its context, and `params` has none.
bool wants_diagnostics(const std::string& method, const std::string& params);

}  // namespace hob::unit
