// The scripts of package.json, run by the package manager that the project has a lock file of.

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "cmd/formats/json_file.hpp"
#include "cmd/formats/readers.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// What npm runs by itself around an install or a publication.
constexpr std::array<std::string_view, 16> lifecycle{
    "install", "preinstall", "postinstall", "prepare",        "preprepare", "postprepare",
    "publish", "prepublish", "postpublish", "prepublishOnly", "prepack",    "postpack",
    "version", "preversion", "postversion", "dependencies",
};

bool is_lifecycle(std::string_view name) {
    return std::find(lifecycle.begin(), lifecycle.end(), name) != lifecycle.end();
}

// `prebuild` is run with `build`.
bool is_hook(const std::string& name, const json::object& scripts) {
    return (name.starts_with("pre") && scripts.contains(name.substr(3))) ||
           (name.starts_with("post") && scripts.contains(name.substr(4)));
}

std::string manager_of(const json::object& file, const import_collector& found) {
    if (const json::value* named = file.if_contains("packageManager"); named && named->is_string()) {
        const std::string name(named->get_string().subview(0, named->get_string().find('@')));
        for (const char* known : {"npm", "yarn", "pnpm", "bun"})
            if (name == known) return name;
    }
    if (found.has_file("pnpm-lock.yaml")) return "pnpm";
    if (found.has_file("yarn.lock")) return "yarn";
    if (found.has_file("bun.lockb") || found.has_file("bun.lock")) return "bun";
    return "npm";
}

bool stays_up(std::string_view name, std::string_view command) {
    if (is_name_of_service(name)) return true;
    for (const std::string_view word : {"--watch", "nodemon", "webpack serve", "webpack-dev-server"})
        if (command.find(word) != std::string_view::npos) return true;
    return false;
}

// The one that a bare `hob start` starts; the others do the same in another way, or beside it.
std::string main_service(const json::object& scripts) {
    for (const char* name : {"dev", "develop", "serve", "start", "watch"})
        if (scripts.contains(name)) return name;
    return {};
}

imported_unit script_unit(const std::string& name, const std::string& command, const std::string& manager,
                          const std::string& main) {
    imported_unit unit;
    for (const std::string& word : {manager, std::string("run"), name})
        unit.run.push_back(literal_word(word));
    unit.about = command;
    if (!stays_up(name, command)) {
        unit.kind = unit::unit_kind::task;
    } else {
        unit.kind = unit::unit_kind::service;
        if (name != main) unit.keys.emplace_back("enabled", "false  # started only by its name");
    }
    return unit;
}

}  // namespace

bool is_name_of_service(std::string_view name) {
    constexpr std::array<std::string_view, 10> words{"dev",     "start",   "serve",     "server",    "watch",
                                                     "develop", "preview", "storybook", "devserver", "run"};
    const auto is_word = [&](std::string_view part) {
        return std::find(words.begin(), words.end(), part) != words.end();
    };
    const std::string_view first = name.substr(0, name.find_first_of(":-_."));
    const std::string_view last = name.substr(name.find_last_of(":-_.") + 1);
    return is_word(name) || (first != "run" && is_word(first)) || last == "watch" || last == "dev" ||
           last == "serve";
}

bool read_scripts(const json::object& file, import_collector& found) {
    const json::value* all = file.if_contains("scripts");
    if (all == nullptr || !all->is_object()) return false;
    const json::object& scripts = all->get_object();
    const std::string manager = manager_of(file, found);
    const std::string main = main_service(scripts);
    for (const auto& member : scripts) {
        const std::string name(member.key());
        if (is_hook(name, scripts)) continue;
        if (is_lifecycle(name)) {
            found.refuse(name, fmt::format("{} runs it by itself", manager));
            continue;
        }
        found.entry(name, [&] {
            const json::value& command = member.value();
            if (!command.is_string())
                throw unimportable(fmt::format("it must be a string, not {}", kind_of(member.value())));
            return script_unit(name, command.get_string().c_str(), manager, main);
        });
    }
    return true;
}

}  // namespace hob::cmd
