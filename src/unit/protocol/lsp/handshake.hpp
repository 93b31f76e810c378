#pragma once
// What hob says to a language server about itself, the workspace and the settings.

#include <optional>
#include <set>
#include <string>

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

// The directory of the workspace, without symlinks.
std::string lsp_root(const unit_spec& unit);

// The params of `initialize`.
std::string initialize_params(const unit_spec& unit);

// The result of a request of the server's that is always answered alike; nullopt: it is none of these.
std::optional<std::string> constant_answer(const unit_spec& unit, const std::string& method);

// The result of workspace/configuration. Adds the sections that `settings` in hob.toml does not give to
// `missing`. Items behind those that fill a message get null.
std::string configuration(const unit_spec& unit, const std::string& params, std::set<std::string>& missing);

// Sends the settings of hob.toml, if there are any.
void announce_settings(session_host& host);

}  // namespace hob::unit
