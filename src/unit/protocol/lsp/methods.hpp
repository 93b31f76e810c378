#pragma once
// The requests that the language server protocol defines.

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

std::span<const std::string_view> lsp_methods();

// What the server asked for in vain.
struct lsp_unmet {
    std::set<std::string> settings;  // sections
    std::set<std::string> requests;  // methods

    void add_request(const std::string& method);
};

// Remarks the settings that the server asked for in vain, if there are any.
void remark_missing_settings(const std::string& unit, const lsp_unmet& unmet, const remark_handler& remark);

// The failure of a request with a hint at the method that was probably meant. Remarks what the server asked
// for in vain, as far as that may be the reason.
failure explained(const failure& why, const std::string& unit, const std::string& method,
                  const lsp_unmet& unmet, const remark_handler& remark);

}  // namespace hob::unit
