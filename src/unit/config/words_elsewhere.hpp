#pragma once
// Keys that other tools have and hob has in another form.

#include <string>
#include <string_view>

#include "unit/config/keys.hpp"

namespace hob::unit {

// What to write instead of `word` in this table; empty: nothing is known.
std::string said_otherwise(std::string_view word, key_scope scope);

}  // namespace hob::unit
