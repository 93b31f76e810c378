#pragma once
// Values of hob.toml as JSON.

#include <string>
#include <string_view>

#include "unit/config/toml_tree.hpp"

namespace hob::unit {

// A TOML value as JSON text, members in file order. A date becomes a string as TOML writes it. inf and nan,
// which JSON cannot express, become null: reject them with `has_no_json` first.
std::string to_json(const tree_value& value);

// The JSON of one value as TOML text, such as `{ tcp = 5432 }`. Throws syntax_error.
std::string value_to_json(std::string_view value);

// The first value that JSON cannot express (inf, nan), or nullptr.
const tree_value* has_no_json(const tree_value& value);

}  // namespace hob::unit
