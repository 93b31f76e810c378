// pyproject.toml: the tools that it configures, and the scripts of its task runners.

#include <fmt/format.h>

#include <boost/json.hpp>

#include "cmd/formats/json_file.hpp"
#include "cmd/init/proposals.hpp"
#include "error.hpp"
#include "unit/config/toml_to_json.hpp"
#include "unit/config/toml_tree.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// The words that run a program in the project's environment.
std::vector<std::string> runner_of(const import_collector& found) {
    if (found.has_file("uv.lock")) return {"uv", "run"};
    if (found.has_file("poetry.lock")) return {"poetry", "run"};
    if (found.has_file("pdm.lock")) return {"pdm", "run"};
    if (found.has_file("Pipfile.lock")) return {"pipenv", "run"};
    return {};
}

void add(const std::string& name, std::initializer_list<std::string_view> words, import_collector& found,
         std::string_view about = {}) {
    imported_unit unit = proposed_unit(name, {}, about);
    for (const auto& word : runner_of(found))
        unit.run.push_back(literal_word(word));
    for (const auto word : words)
        unit.run.push_back(literal_word(word));
    found.add(std::move(unit));
}

std::string keys_of(const json::object& table) {
    std::string names;
    for (const auto& member : table)
        names.append(names.empty() ? "" : ", ").append(member.key());
    return names;
}

void add_tools(const json::object& tools, import_collector& found) {
    if (tools.contains("pytest")) add("test", {"pytest"}, found);
    if (tools.contains("ruff")) {
        add("lint", {"ruff", "check", "."}, found);
    } else if (tools.contains("flake8")) {
        add("lint", {"flake8"}, found);
    }
    if (tools.contains("mypy")) add("types", {"mypy", "."}, found);
    if (tools.contains("pyright")) add("types", {"pyright"}, found);
    const auto tasks_of = [&](const char* tool, const char* key) {
        const json::object* table = object_of(tools, tool);
        return table != nullptr ? object_of(*table, key) : nullptr;
    };
    const auto add_all = [&](const json::object* tasks, std::string_view program) {
        if (tasks == nullptr) return;
        for (const auto& member : *tasks)
            if (member.key() != "_") add(std::string(member.key()), {program, member.key()}, found);
    };
    add_all(tasks_of("poe", "tasks"), "poe");
    add_all(tasks_of("taskipy", "tasks"), "task");
    if (const json::object* scripts = tasks_of("pdm", "scripts")) {
        for (const auto& member : *scripts)
            if (!member.key().starts_with("_"))
                found.add(proposed_unit(member.key(), {"pdm", "run", member.key()}));
    }
}

}  // namespace

void propose_python(std::string_view text, const std::string& path, import_collector& found) {
    json::value file;
    try {
        file = json::parse(unit::to_json(unit::parse_tree(text)));
    } catch (const unit::syntax_error& why) {
        throw cannot_import(path, fmt::format("it is not TOML: line {}: {}", why.where.line, why.what()));
    }
    if (found.has_file("manage.py")) {
        add("runserver", {"python", "manage.py", "runserver"}, found);
        add("migrate", {"python", "manage.py", "migrate"}, found);
    }
    if (const json::object* tools = object_of(file.get_object(), "tool")) add_tools(*tools, found);
    const json::object* project = object_of(file.get_object(), "project");
    const json::object* scripts = project != nullptr ? object_of(*project, "scripts") : nullptr;
    if (scripts != nullptr && !scripts->empty())
        found.note("programs of the package, which may be services or tasks", keys_of(*scripts));
}

}  // namespace hob::cmd
