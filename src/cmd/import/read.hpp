#pragma once
// Reads the configuration files of other programs as workers: `mcpServers` of many MCP clients, `servers` of
// VS Code's mcp.json, `configurations` of its launch.json.

#include <boost/json/object.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmd/import/words.hpp"

namespace hob::cmd {

struct imported_unit {
    std::string from;  // its name in the file
    std::string name;  // the unit name derived from it; valid, and unique in the file
    std::string_view protocol;
    std::vector<import_word> run;                          // not empty
    std::vector<std::pair<std::string, import_word>> env;  // in the file's order
    std::optional<std::string> env_file;
    std::optional<std::string> cwd;
    std::string connect;  // a TOML value; empty: it speaks on its pipes
    std::string comment;  // one line on how to use it; may be empty
};

struct import_note {
    std::string from;  // which entry
    std::string text;
};

struct import_result {
    std::vector<imported_unit> units;
    std::vector<import_note> refused;
    std::vector<import_note> notes;  // differences from the original
};

// What is installed on this machine.
struct import_environment {
    std::function<bool(const std::string& program)> has_program;  // in PATH
    std::function<bool()> has_debugpy;                            // python3 can import it
};

// Throws only failure(config), `cannot import 'PATH': REASON`, for a file of another form.
import_result read_import(std::string_view bytes, const std::string& path, import_context context,
                          const import_environment& machine);

// One configuration of launch.json. Throws unimportable.
imported_unit read_configuration(const boost::json::object& entry, const import_context& context,
                                 const import_environment& machine, std::vector<std::string>& notes);

// A member of `entry` that must be a string; nullopt: missing or null. Throws unimportable for other values.
std::optional<std::string> text_of(const boost::json::object& entry, std::string_view key);
// Reads an object of NAME: VALUE. Throws unimportable.
void read_environment(const boost::json::object& entry, std::string_view key, const import_context& context,
                      imported_unit& unit);

// The unit as a table of hob.toml, with a comment above it.
std::string to_toml(const imported_unit& unit, std::string_view file);

}  // namespace hob::cmd
