// MCP servers, where clients keep them.

#include <fmt/format.h>

#include <boost/json.hpp>

#include "cmd/formats/json_file.hpp"
#include "cmd/formats/readers.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

void read_arguments(const json::object& entry, const import_context& context, imported_unit& unit) {
    const json::value* arguments = entry.if_contains("args");
    if (arguments == nullptr) return;
    if (!arguments->is_array())
        throw unimportable(fmt::format("its 'args' must be an array, not {}", kind_of(*arguments)));
    for (const auto& element : arguments->get_array()) {
        if (!element.is_string())
            throw unimportable(fmt::format("its 'args' must hold strings, not {}", kind_of(element)));
        unit.run.push_back(parse_word(std::string_view(element.get_string()), context));
    }
}

// The URL of a server that is reached over the network; nullopt: it is a process.
std::optional<std::string> remote_url(const json::object& entry) {
    if (entry.contains("command")) return std::nullopt;
    for (const std::string_view key : {"url", "serverUrl", "httpUrl"})
        if (const auto url = text_of(entry, key)) return url;
    return std::nullopt;
}

void refuse_remote(const json::object& entry) {
    const std::string type = text_of(entry, "type").value_or("stdio");
    const bool remote =
        type == "http" || type == "sse" || type == "streamable-http" || type == "ws" || type == "remote";
    if (remote || remote_url(entry)) {
        throw unimportable(
            fmt::format("it is reached over {}, and hob keeps processes; `npx mcp-remote URL` is one",
                        remote && type != "remote" ? type : std::string("a URL")));
    }
    if (type != "stdio" && type != "local" && type != "custom")
        throw unimportable(fmt::format("its type is '{}'", type));
}

void refuse_disabled(const json::object& entry) {
    const json::value* on = entry.if_contains("enabled");
    if (is_true(entry, "disabled") || (on != nullptr && *on == false)) throw unimportable("it is disabled");
}

// `command` is a program, or the whole command (opencode), or a table of its parts (Zed, formerly).
json::object with_plain_command(const json::object& entry) {
    json::object plain = entry;
    const json::value* command = entry.if_contains("command");
    if (command == nullptr) return plain;
    if (const json::object* parts = command->if_object()) {
        plain.erase("command");
        for (const auto& part : *parts)
            plain[part.key() == "path" ? json::string_view("command") : json::string_view(part.key())] =
                part.value();
    } else if (const json::array* words = command->if_array(); words != nullptr && !words->empty()) {
        json::array arguments(words->begin() + 1, words->end());
        if (const json::value* more = entry.if_contains("args"); more != nullptr && more->is_array())
            arguments.insert(arguments.end(), more->get_array().begin(), more->get_array().end());
        const json::value first = words->front();
        plain["command"] = first;
        plain["args"] = std::move(arguments);
    }
    return plain;
}

// Codex: the names of variables that the server is to have of its environment.
void read_forwarded(const json::object& entry, imported_unit& unit) {
    const json::value* names = entry.if_contains("env_vars");
    if (names == nullptr || !names->is_array()) return;
    for (const auto& name : names->get_array()) {
        if (!name.is_string()) throw unimportable("its 'env_vars' must hold names");
        const std::string variable(std::string_view(name.get_string()));
        require_variable_name(variable);
        unit.env.emplace_back(variable, import_word{{variable, true, {}, false}});
    }
}

void read_timeout(const json::object& entry, imported_unit& unit) {
    const json::value* limit = entry.if_contains("tool_timeout_sec");
    if (limit == nullptr || !limit->is_number()) return;
    const double seconds = limit->to_number<double>();
    if (seconds > 0 && seconds < 1e6)
        unit.keys.emplace_back("call_timeout",
                               fmt::format("\"{}ms\"", static_cast<std::int64_t>(seconds * 1000)));
}

imported_unit read_server(const json::object& original, const import_context& context) {
    const json::object entry = with_plain_command(original);
    imported_unit unit;
    unit.protocol = "mcp";
    refuse_remote(entry);
    refuse_disabled(entry);
    const auto command = text_of(entry, "command");
    if (!command || command->empty()) throw unimportable("it has no command");
    unit.run.push_back(parse_word(*command, context));
    read_arguments(entry, context, unit);
    for (const std::string_view key : {"env", "environment"})
        read_environment(entry, key, context, unit);
    if (const auto file = text_of(entry, "envFile"))
        unit.env_files.push_back({parse_path("envFile", *file, context)});
    if (const auto cwd = text_of(entry, "cwd")) unit.cwd = parse_path("cwd", *cwd, context);
    read_forwarded(entry, unit);
    read_timeout(entry, unit);
    remark_other_keys(entry,
                      {"command", "args", "env", "environment", "envFile", "cwd", "disabled", "enabled",
                       "env_vars", "tool_timeout_sec", "type", "gallery", "version", "source"},
                      unit);
    return unit;
}

}  // namespace

bool read_servers(const json::object& file, std::string_view key, bool bare_names, import_collector& found) {
    const json::value* all = file.if_contains(key);
    if (all == nullptr) return false;
    if (!all->is_object()) {
        found.refuse(std::string(key), fmt::format("it must be an object, not {}", kind_of(*all)));
        return true;
    }
    found.context.bare_names = bare_names;
    for (const auto& member : all->get_object()) {
        found.entry(std::string(member.key()), [&] {
            if (!member.value().is_object())
                throw unimportable(fmt::format("it must be an object, not {}", kind_of(member.value())));
            return read_server(member.value().get_object(), found.context);
        });
    }
    return true;
}

}  // namespace hob::cmd
