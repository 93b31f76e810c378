#include "cmd/init/proposals.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "cmd/formats/command_words.hpp"
#include "cmd/formats/machine.hpp"
#include "cmd/formats/read.hpp"
#include "error.hpp"
#include "unit/config/file.hpp"

namespace hob::cmd {
namespace {

// What holds the same is read once: the first of each line. The order is that of precedence.
constexpr std::string_view sources[] = {
    "Procfile.dev Procfile",
    "compose.yaml compose.yml docker-compose.yml docker-compose.yaml",
    "package.json",
    "justfile Justfile .justfile",
    "GNUmakefile makefile Makefile",
    "pyproject.toml",
    "CMakeLists.txt",
    ".mcp.json",
    ".vscode/mcp.json",
    ".cursor/mcp.json",
    ".vscode/launch.json",
};

bool exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

import_result read_source(const std::string& file, const std::string& directory,
                          const import_context& context, const import_environment& machine) {
    const std::string path = directory + "/" + file;
    const std::string text = unit::read_trusted_file(path, ::geteuid());
    import_collector found(context, machine);
    if (file.ends_with("ustfile")) {
        propose_just(text, found);
    } else if (file.ends_with("akefile")) {
        propose_make(text, found);
    } else if (file == "pyproject.toml") {
        propose_python(text, file, found);
    } else if (file == "CMakeLists.txt") {
        propose_cmake(unit::read_any_file(directory + "/CMakePresets.json").value_or(""), found);
    } else {
        return read_import(text, file, context, machine);
    }
    return found.take();
}

// Refuses units that hob.toml would not take, and those whose name another file has already.
void drop_known_names(import_result& found, std::set<std::string>& names, const std::string& main_file,
                      const std::string& root) {
    std::erase_if(found.units, [&](const imported_unit& unit) {
        try {
            checked_toml(unit, {}, root);
        } catch (const unimportable& why) {
            found.refused.push_back({unit.from, why.what()});
            return true;
        }
        if (names.insert(unit.name).second) return false;
        found.refused.push_back({unit.from, "another file has a unit of this name"});
        return true;
    });
    settle_after(found, [&](const std::string& name) { return names.contains(name); });
    if (main_file.empty()) return;
    for (auto& unit : found.units) {
        const bool chosen = std::any_of(unit.keys.begin(), unit.keys.end(),
                                        [](const auto& key) { return key.first == "enabled"; });
        if (unit.kind == unit::unit_kind::service && !chosen)
            unit.keys.emplace_back(
                "enabled", fmt::format("false  # started only by its name, beside those of {}", main_file));
    }
}

bool has_service(const import_result& found) {
    return std::any_of(found.units.begin(), found.units.end(),
                       [](const imported_unit& unit) { return unit.kind == unit::unit_kind::service; });
}

}  // namespace

std::vector<proposal> propose_units(const std::string& directory, const std::string& home) {
    const import_environment machine = this_machine();
    import_context context;
    context.root = context.folder = directory;
    context.home = home;
    std::vector<proposal> all;
    std::set<std::string> names;
    std::string main_file;  // the first one with services
    for (const auto& line : sources) {
        const auto alternatives = split_words(line).value_or(std::vector<std::string>());
        const auto file =
            std::find_if(alternatives.begin(), alternatives.end(),
                         [&](const std::string& name) { return exists(directory + "/" + name); });
        if (file == alternatives.end()) continue;
        proposal& next = all.emplace_back();
        next.file = *file;
        try {
            next.found = read_source(*file, directory, context, machine);
            drop_known_names(next.found, names, main_file, directory);
            if (main_file.empty() && has_service(next.found)) main_file = *file;
        } catch (const failure& why) {
            next.refused = why.reason();
        }
    }
    return all;
}

}  // namespace hob::cmd
