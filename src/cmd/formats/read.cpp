#include "cmd/formats/read.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>

#include "cmd/formats/json_file.hpp"
#include "cmd/formats/readers.hpp"
#include "cmd/formats/yaml.hpp"
#include "error.hpp"
#include "unit/config/toml_to_json.hpp"
#include "unit/config/toml_tree.hpp"
#include "util/utf8.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

constexpr std::string_view known_files =
    "hob reads Procfile, package.json, compose.yaml, tasks.json, launch.json, mcp.json and crontabs, see "
    "hob-import(1)";

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool has_extension(std::string_view name, std::initializer_list<std::string_view> extensions) {
    return std::any_of(extensions.begin(), extensions.end(),
                       [&](std::string_view extension) { return name.ends_with(extension); });
}

std::string_view format_by_name(const std::string& path) {
    const std::string_view name = base_name(path);
    if (name == "Procfile" || name.starts_with("Procfile.")) return "procfile";
    if (has_extension(name, {".yaml", ".yml"})) return "compose";
    if (has_extension(name, {".json", ".jsonc", ".code-workspace"})) return "json";
    if (name.ends_with(".toml")) return "toml";
    const bool of_cron =
        path.find("/cron.d/") != std::string::npos || path.find("/crontabs/") != std::string::npos;
    if (of_cron || name == "crontab" || has_extension(name, {".cron", ".crontab"})) return "crontab";
    return {};
}

std::string_view format_by_content(std::string_view bytes) {
    const auto begin = bytes.find_first_not_of(" \t\r\n\xef\xbb\xbf");
    if (begin == std::string_view::npos) return "json";
    if (bytes[begin] == '{' || bytes[begin] == '/') return "json";
    if (looks_like_crontab(bytes)) return "crontab";
    if (looks_like_procfile(bytes)) return "procfile";
    const bool compose =
        bytes.starts_with("services:") || bytes.find("\nservices:") != std::string_view::npos;
    return compose ? "compose" : "json";
}

// Of editors, agents and npm: which of them is in the file's members.
bool read_members(const json::object& file, import_collector& found) {
    int known = 0;
    known += int{read_servers(file, "mcpServers", true, found)};
    known += int{read_servers(file, "servers", false, found)};
    known += int{read_servers(file, "context_servers", false, found)};
    known += int{read_servers(file, "mcp_servers", false, found)};
    if (const json::object* mcp = object_of(file, "mcp"))
        known += int{read_servers(*mcp, "servers", false, found)};
    known += int{read_configurations(file, found)};
    known += int{read_tasks(file, found)};
    if (known == 0) known += int{read_scripts(file, found)};
    return known > 0;
}

void read_object(const json::value& file, std::string_view format, const std::string& path,
                 import_collector& found) {
    if (!file.is_object()) throw cannot_import(path, fmt::format("it holds {}", kind_of(file)));
    const json::object& members = file.get_object();
    if (format == "compose" ||
        (members.contains("services") && members.if_contains("services")->is_object())) {
        if (!read_compose(members, path, found))
            throw cannot_import(path, "it has no services", std::string(known_files));
    } else if (format == "package") {
        if (!read_scripts(members, found)) throw cannot_import(path, "it has no scripts");
    } else if (!read_members(members, found)) {
        throw cannot_import(
            path, "it has none of mcpServers, servers, context_servers, configurations, tasks and scripts",
            std::string(known_files));
    }
}

json::value parse_toml(std::string_view bytes, const std::string& path) {
    try {
        return json::parse(unit::to_json(unit::parse_tree(bytes)));
    } catch (const unit::syntax_error& why) {
        throw cannot_import(path, fmt::format("it is not TOML: line {}: {}", why.where.line, why.what()));
    }
}

}  // namespace

import_result read_import(std::string_view bytes, const std::string& path, import_context context,
                          const import_environment& machine, std::string_view format) {
    if (format.empty()) format = format_by_name(path);
    if (format.empty()) format = format_by_content(bytes);
    if (!util::is_utf8(bytes) && format != "json") throw cannot_import(path, "it is not UTF-8 text");
    if (bytes.find('\0') != std::string_view::npos) throw cannot_import(path, "it has a NUL byte in it");
    import_collector found(std::move(context), machine);
    if (format == "procfile") {
        read_procfile(bytes, path, found);
    } else if (format == "crontab") {
        read_crontab(bytes, looks_like_system_crontab(bytes, path, machine), path, found);
    } else if (format == "compose") {
        read_object(parse_yaml_file(bytes, path), format, path, found);
    } else if (format == "toml" || (format == "mcp" && path.ends_with(".toml"))) {
        read_object(parse_toml(bytes, path), format, path, found);
    } else {
        read_object(parse_json_file(bytes, path), format, path, found);
    }
    return found.take();
}

}  // namespace hob::cmd
