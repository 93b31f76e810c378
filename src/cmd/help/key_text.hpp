#pragma once
// What `hob help KEY` prints of the keys of hob.toml.

#include <span>
#include <string>
#include <string_view>

#include "cmd/core/output.hpp"
#include "unit/config/keys.hpp"

namespace hob::cmd {

std::string keys_text(std::span<const unit::named_key> keys, const terminal& out);
std::string keys_json(std::span<const unit::named_key> keys);

// For a verb that has the name of a key or table: how to ask for that. Empty: there is none.
std::string keys_beside_verb(std::string_view verb, const terminal& out);

}  // namespace hob::cmd
