#include "cmd/import/read.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <array>
#include <set>

#include "error.hpp"
#include "limits.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// Keys of an entry that do not concern its process.
constexpr std::array<std::string_view, 3> ignored_keys{"type", "gallery", "version"};
constexpr std::size_t name_max = 64;

failure cannot_import(const std::string& path, const std::string& reason, const std::string& hint = {}) {
    return {error_kind::config, cannot("import", path), reason, hint};
}

// Accepts JSON as editors write it: with comments, trailing commas and a byte order mark.
json::value parse(std::string_view bytes, const std::string& path) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (bytes.starts_with(mark)) bytes.remove_prefix(mark.size());
    json::parse_options options;
    options.allow_comments = true;
    options.allow_trailing_commas = true;
    options.max_depth = 64;
    boost::system::error_code error;
    json::stream_parser parser({}, options);
    const std::size_t consumed = parser.write_some(bytes.data(), bytes.size(), error);
    if (!error && consumed == bytes.size()) parser.finish(error);
    if (!error && consumed == bytes.size()) return parser.release();
    const std::string_view before = bytes.substr(0, std::min(consumed, bytes.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    throw cannot_import(path, fmt::format("it is not JSON: line {}: {}", line,
                                          error ? error.message() : "something follows its end"));
}

// A valid, unique unit name: `my server!` becomes my-server.
std::string unit_name(std::string_view from, std::set<std::string>& taken) {
    std::string name;
    for (const char c : from) {
        const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool good = alphanumeric || ((c == '.' || c == '_' || c == '-') && !name.empty());
        if (good) {
            name += c;
        } else if (!name.empty() && !name.ends_with('-')) {
            name += '-';
        }
    }
    name.resize(std::min(name.size(), name_max - 8));
    while (name.ends_with('-'))
        name.pop_back();
    if (name.empty()) name = "worker";
    if (name == "daemon") name = "daemon-1";
    std::string unique = name;
    for (int n = 2; !taken.insert(unique).second; ++n)
        unique = fmt::format("{}-{}", name, n);
    return unique;
}

std::string_view kind_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "a boolean";
        case json::kind::string:
            return "a string";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
        default:
            return "a number";
    }
}

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

void refuse_remote(const json::object& entry) {
    const std::string type = text_of(entry, "type").value_or("stdio");
    const bool remote = type == "http" || type == "sse" || type == "streamable-http" || type == "ws";
    if (remote || (!entry.contains("command") &&
                   (entry.contains("url") || entry.contains("serverUrl") || entry.contains("httpUrl")))) {
        throw unimportable(fmt::format("it is reached over {}, and hob keeps processes",
                                       remote ? type : std::string("a URL")));
    }
    if (type != "stdio" && type != "local") throw unimportable(fmt::format("its type is '{}'", type));
}

imported_unit read_server(const json::object& entry, const import_context& context,
                          std::vector<std::string>& notes) {
    imported_unit unit;
    unit.protocol = "mcp";
    refuse_remote(entry);
    if (const json::value* off = entry.if_contains("disabled"); off && off->is_bool() && off->get_bool())
        throw unimportable("it is disabled");
    const auto command = text_of(entry, "command");
    if (!command || command->empty()) throw unimportable("it has no command");
    unit.run.push_back(parse_word(*command, context));
    read_arguments(entry, context, unit);
    read_environment(entry, "env", context, unit);
    if (const auto file = text_of(entry, "envFile")) unit.env_file = parse_path("envFile", *file, context);
    if (const auto cwd = text_of(entry, "cwd")) unit.cwd = parse_path("cwd", *cwd, context);
    std::string ignored;
    for (const auto& member : entry) {
        constexpr std::array<std::string_view, 6> read{"command", "args", "env",
                                                       "envFile", "cwd",  "disabled"};
        const std::string_view key = member.key();
        if (std::find(read.begin(), read.end(), key) != read.end()) continue;
        if (std::find(ignored_keys.begin(), ignored_keys.end(), key) != ignored_keys.end()) continue;
        ignored.append(ignored.empty() ? "" : ", ").append(key);
    }
    if (!ignored.empty()) notes.push_back("without " + ignored + ", which hob.toml does not have");
    return unit;
}

class reader {
public:
    reader(import_context context, const import_environment& machine)
        : context_(std::move(context)), machine_(machine) {}

    // Reads the servers under `key`. False: the file has no such key.
    bool servers(const json::object& file, std::string_view key, bool bare_names) {
        const json::value* all = file.if_contains(key);
        if (all == nullptr) return false;
        if (!all->is_object()) {
            refuse(std::string(key), fmt::format("it must be an object, not {}", kind_of(*all)));
            return true;
        }
        context_.bare_names = bare_names;
        for (const auto& member : all->get_object()) {
            entry(std::string(member.key()), member.value(),
                  [this](const auto& element, auto& notes) { return read_server(element, context_, notes); });
        }
        return true;
    }

    bool configurations(const json::object& file) {
        const json::value* all = file.if_contains("configurations");
        if (all == nullptr) return false;
        if (!all->is_array()) {
            refuse("configurations", fmt::format("it must be an array, not {}", kind_of(*all)));
            return true;
        }
        context_.bare_names = false;
        int number = 0;
        for (const auto& element : all->get_array()) {
            std::string name = fmt::format("configuration {}", ++number);
            const json::value* named =
                element.is_object() ? element.get_object().if_contains("name") : nullptr;
            if (named != nullptr && named->is_string()) name = named->get_string().c_str();
            entry(name, element, [this](const auto& object, auto& notes) {
                return read_configuration(object, context_, machine_, notes);
            });
        }
        if (const json::value* compounds = file.if_contains("compounds");
            compounds && compounds->is_array()) {
            if (!compounds->get_array().empty())
                refuse("compounds", "each of their configurations is a worker of its own");
        }
        return true;
    }

    import_result take() { return std::move(result_); }

private:
    template <typename Read>
    void entry(const std::string& from, const json::value& value, Read read) {
        try {
            if (!value.is_object())
                throw unimportable(fmt::format("it must be an object, not {}", kind_of(value)));
            std::vector<std::string> notes;
            imported_unit unit = read(value.get_object(), notes);
            unit.from = from;
            unit.name = unit_name(from, taken_);
            if (!unit.cwd && context_.folder != context_.root)
                unit.cwd = parse_path("cwd", context_.folder, context_);
            if (unit.name != from)
                result_.notes.push_back({from, fmt::format("it is called '{}'", unit.name)});
            for (auto& note : notes)
                result_.notes.push_back({from, std::move(note)});
            result_.units.push_back(std::move(unit));
        } catch (const unimportable& why) {
            refuse(from, why.what());
        }
    }
    void refuse(const std::string& from, const std::string& reason) {
        result_.refused.push_back({from, reason});
    }

    import_context context_;
    const import_environment& machine_;
    import_result result_;
    std::set<std::string> taken_;
};

}  // namespace

std::optional<std::string> text_of(const json::object& entry, std::string_view key) {
    const json::value* value = entry.if_contains(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->is_string())
        throw unimportable(fmt::format("its '{}' must be a string, not {}", key, kind_of(*value)));
    return std::string(std::string_view(value->get_string()));
}

void read_environment(const json::object& entry, std::string_view key, const import_context& context,
                      imported_unit& unit) {
    const json::value* all = entry.if_contains(key);
    if (all == nullptr || all->is_null()) return;
    if (!all->is_object())
        throw unimportable(fmt::format("its '{}' must be an object, not {}", key, kind_of(*all)));
    for (const auto& member : all->get_object()) {
        const std::string name(member.key());
        const json::value& value = member.value();
        if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
            throw unimportable(fmt::format("'{}' is no name of a variable", name));
        if (name == "HOB_INSTANCE" || name == "HOB_UNIT" || name == "HOB_RUN")
            throw unimportable(fmt::format("it sets '{}', which is hob's own", name));
        if (!value.is_string() && !value.is_number())
            throw unimportable(
                fmt::format("its variable '{}' must be a string, not {}", name, kind_of(value)));
        const std::string text =
            value.is_string() ? std::string(std::string_view(value.get_string())) : json::serialize(value);
        unit.env.emplace_back(name, parse_word(text, context));
    }
}

import_result read_import(std::string_view bytes, const std::string& path, import_context context,
                          const import_environment& machine) {
    const json::value file = parse(bytes, path);
    if (!file.is_object()) throw cannot_import(path, fmt::format("it holds {}", kind_of(file)));
    reader all(std::move(context), machine);
    const bool known = int{all.servers(file.get_object(), "mcpServers", true)} +
                           int{all.servers(file.get_object(), "servers", false)} +
                           int{all.configurations(file.get_object())} >
                       0;
    if (!known) {
        throw cannot_import(path, "it has none of mcpServers, servers and configurations",
                            "hob reads mcp.json and launch.json, see hob-import(1)");
    }
    return all.take();
}

}  // namespace hob::cmd
