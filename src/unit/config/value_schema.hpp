#pragma once
// JSON Schemas of the values of single keys.

#include "unit/config/keys.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {

// Adds the keywords that describe the key's values. Not for tables of further keys.
void add_value_schema(util::json_object& schema, const config_key& key);

// The name of a unit, as a regular expression.
std::string unit_name_pattern();

}  // namespace hob::unit
