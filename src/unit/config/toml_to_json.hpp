#pragma once

#include <string>

#include "unit/config/toml_tree.hpp"

namespace hob::unit {

// A TOML value as JSON text, members in file order. A date becomes a string in TOML's form. inf and nan,
// which JSON has no words for, become null; reject them with `has_no_json` first.
std::string to_json(const tree_value& value);

// The first value that JSON cannot say (inf, nan), or nullptr.
const tree_value* has_no_json(const tree_value& value);

}  // namespace hob::unit
