#pragma once
// A JSON Schema (draft 2020-12) of hob.toml, made from the table of keys, for editors. It says what a schema
// can say: rules that compare values, such as the order of two durations, are checked by the parser only.

#include <string>

namespace hob::unit {

// One line.
std::string config_schema();

}  // namespace hob::unit
