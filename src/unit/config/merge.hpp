#pragma once
// Lays one parsed file over another: hob.local.toml over hob.toml.

#include "unit/config/toml_tree.hpp"

namespace hob::unit {

// Tables are merged member by member, other values are replaced. Of keys that exclude each other, such as the
// kinds of `ready`, the one of `over` replaces the other.
void merge_file(tree_value& base, tree_value over);

}  // namespace hob::unit
