#pragma once
// As what hob introduces itself to a server.

#include <string>
#include <string_view>

#include "unit/spec/spec.hpp"

namespace hob::unit {

std::string mcp_client_info();  // raw
// A member of `initialize` in hob.toml, merged over `ours`.
std::string mcp_configured(const unit_spec& unit, std::string_view member, std::string_view ours);
std::string mcp_initialize_params(const unit_spec& unit);  // of the legacy handshake

}  // namespace hob::unit
