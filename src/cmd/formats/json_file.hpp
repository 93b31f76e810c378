#pragma once
// JSON of other programs' files.

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/formats/draft.hpp"

namespace hob::cmd {

// Accepts JSON as editors write it: with comments, trailing commas and a byte order mark. Throws
// failure(config).
boost::json::value parse_json_file(std::string_view bytes, const std::string& path);

// "an object", …: for messages.
std::string_view kind_of(const boost::json::value& value);

// A member of `entry` that must be a string; nullopt: missing or null. Throws unimportable for other values.
std::optional<std::string> text_of(const boost::json::object& entry, std::string_view key);
// A member that is an object; nullptr: missing or another value.
const boost::json::object* object_of(const boost::json::object& entry, std::string_view key);
// A string, number or boolean as text; nullopt: another value.
std::optional<std::string> scalar_of(const boost::json::value& value);
bool is_true(const boost::json::object& entry, std::string_view key);

// Reads an object of NAME: VALUE. Throws unimportable.
void read_environment(const boost::json::object& entry, std::string_view key, const import_context& context,
                      imported_unit& unit);
// Throws unimportable for a name that no variable of a unit can have.
void require_variable_name(const std::string& name);

// "without A, B, which hob.toml does not have", for the keys of `entry` that are none of `known`.
void remark_other_keys(const boost::json::object& entry, std::initializer_list<std::string_view> known,
                       imported_unit& unit);

}  // namespace hob::cmd
