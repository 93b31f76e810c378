#pragma once
// What other programs write of servers and debuggers, read as workers: `mcpServers` of many MCP clients,
// `servers` of VS Code's mcp.json, `configurations` of its launch.json.

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
    std::string name;  // a valid one, made of it; unique among those of the file
    std::string_view protocol;
    std::vector<import_word> run;                          // not empty
    std::vector<std::pair<std::string, import_word>> env;  // in the file's order
    std::optional<std::string> env_file;
    std::optional<std::string> cwd;
    std::string connect;  // a TOML value; empty: on its pipes
    std::string comment;  // one line, of how to use it; may be empty
};

struct import_note {
    std::string from;  // which entry
    std::string text;
};

struct import_result {
    std::vector<imported_unit> units;
    std::vector<import_note> refused;
    std::vector<import_note> notes;  // what is not quite as it was
};

// What is on this machine.
struct import_machine {
    std::function<bool(const std::string& program)> has_program;  // in PATH
    std::function<bool()> has_debugpy;                            // python3 can import it
};

// Never throws but failure(config), `cannot import 'PATH': REASON`, for what is none of those forms.
import_result read_import(std::string_view bytes, const std::string& path, import_place place,
                          const import_machine& machine);

// One of launch.json's configurations, named and checked but for its kind. Throws unimportable.
imported_unit read_configuration(const boost::json::object& entry, const import_place& place,
                                 const import_machine& machine, std::vector<std::string>& notes);

// A member of `entry` as a text; nullopt: there is none. Throws unimportable for anything else.
std::optional<std::string> text_of(const boost::json::object& entry, std::string_view key);
// Of NAME = VALUE. Throws unimportable.
void read_environment(const boost::json::object& entry, std::string_view key, const import_place& place,
                      imported_unit& unit);

// The unit as a table of hob.toml, a comment above it.
std::string to_toml(const imported_unit& unit, std::string_view file);

}  // namespace hob::cmd
