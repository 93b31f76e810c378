#pragma once
// JSON Schema, as far as tools use it to describe their arguments: type, enum, const, properties, required,
// additionalProperties, items, lengths and bounds, anyOf, oneOf, allOf, not, and $ref within the schema. What
// it says beyond that is left to the tool.

#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

// Why `value` (raw JSON) is not what `schema` (raw JSON) asks for: "'a' must be a number, not a string".
// nullopt: it is.
std::optional<std::string> schema_mismatch(std::string_view schema, std::string_view value);

}  // namespace hob::unit
