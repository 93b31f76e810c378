#pragma once
// JSON Schema, as far as tools use it to describe their arguments: type, enum, const, properties, required,
// additionalProperties, items, lengths and bounds, anyOf, oneOf, allOf, not, and $ref within the schema.
// Other rules are left to the tool, and so is a check that needs more than limits::schema_steps_max steps.

#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

// Why `value` (raw JSON) does not match `schema` (raw JSON): "'a' must be a number, not a string". nullopt:
// it matches.
std::optional<std::string> schema_mismatch(std::string_view schema, std::string_view value);

}  // namespace hob::unit
