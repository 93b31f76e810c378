// VS Code's tasks.json.

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>

#include "cmd/formats/json_file.hpp"
#include "cmd/formats/readers.hpp"
#include "cmd/formats/scripts.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

std::string label_of(const json::value& task, int number) {
    if (const json::object* members = task.if_object()) {
        for (const char* key : {"label", "taskName", "script"}) {
            const json::value* label = members->if_contains(key);
            if (label != nullptr && label->is_string()) return label->get_string().c_str();
        }
    }
    return fmt::format("task {}", number);
}

// Members for Linux, and those of the file for all tasks, count unless the task has its own.
json::object merged_task(const json::object& file, const json::object& task) {
    json::object merged = task;
    for (const auto* common : {&task, &file}) {
        const json::object* here = object_of(*common, "linux");
        if (here == nullptr) continue;
        for (const auto& member : *here)
            if (common == &task || !task.contains(member.key())) merged[member.key()] = member.value();
    }
    for (const std::string_view key : {"command", "args", "options", "type"}) {
        const json::value* common = file.if_contains(key);
        if (common != nullptr) merged.insert(json::key_value_pair(key, *common));
    }
    return merged;
}

// An argument is a text, or { value, quoting }.
std::string argument_text(const json::value& argument) {
    const json::value* value = &argument;
    if (const json::object* members = argument.if_object()) {
        value = members->if_contains("value");
        if (value == nullptr) throw unimportable("one of its 'args' has no value");
    }
    if (!value->is_string())
        throw unimportable(fmt::format("its 'args' must hold strings, not {}", kind_of(*value)));
    return std::string(std::string_view(value->get_string()));
}

std::vector<import_word> arguments_of(const json::object& task, const import_context& context) {
    std::vector<import_word> words;
    const json::value* all = task.if_contains("args");
    if (all == nullptr) return words;
    if (!all->is_array())
        throw unimportable(fmt::format("its 'args' must be an array, not {}", kind_of(*all)));
    for (const auto& argument : all->get_array())
        words.push_back(parse_word(argument_text(argument), context));
    return words;
}

// The command of a shell task is shell text, its variables included; arguments are words of it.
void set_shell_command(const std::string& command, const json::object& task, const import_context& context,
                       imported_unit& unit) {
    std::string text;
    for (const auto& part : parse_word(command, context))
        text += part.variable ? fmt::format("${{{}}}", part.text) : part.text;
    for (const auto& word : arguments_of(task, context))
        text += " " + shell_word(word);
    const json::object* options = object_of(task, "options");
    if (options != nullptr && options->contains("cwd")) {
        unit.script = text;  // a `cd` in it is relative to that directory
    } else {
        set_command(unit, text, context);
    }
}

void set_npm_command(const json::object& task, const import_context& context, imported_unit& unit) {
    const std::string script = text_of(task, "script").value_or("");
    if (script.empty()) throw unimportable("it has no script");
    for (const std::string_view word :
         {std::string_view("npm"), std::string_view("run"), std::string_view(script)})
        unit.run.push_back(literal_word(word));
    if (const auto path = text_of(task, "path"); path && !path->empty())
        unit.cwd = parse_path("path", *path, context);
}

void set_task_command(const json::object& task, const import_context& context, imported_unit& unit) {
    const std::string type = text_of(task, "type").value_or("process");
    const json::value* given = task.if_contains("command");
    if (type == "npm") return set_npm_command(task, context, unit);
    if (given == nullptr && task.contains("dependsOn")) {
        unit.run.push_back(literal_word("true"));
        return;
    }
    if (type != "shell" && type != "process" && type != "cppbuild")
        throw unimportable(fmt::format("only an editor knows what its type '{}' runs", type));
    const std::string command = given != nullptr ? argument_text(*given) : std::string();
    if (command.empty()) throw unimportable("it has no command");
    if (type == "shell") return set_shell_command(command, task, context, unit);
    unit.run.push_back(parse_word(command, context));
    for (auto& word : arguments_of(task, context))
        unit.run.push_back(std::move(word));
}

void set_after(const json::object& task, imported_unit& unit) {
    const json::value* all = task.if_contains("dependsOn");
    if (all == nullptr) return;
    const json::array one{*all};
    for (const auto& entry : all->is_array() ? all->get_array() : one) {
        if (!entry.is_string()) throw unimportable("its 'dependsOn' must hold labels");
        unit.after.push_back({entry.get_string().c_str()});
    }
    if (unit.after.size() > 1 && text_of(task, "dependsOrder") == "sequence")
        unit.remarks.push_back("without dependsOrder: what it waits for runs at the same time");
}

void set_options(const json::object& task, const import_context& context, imported_unit& unit) {
    const json::object* options = object_of(task, "options");
    if (options == nullptr) return;
    if (const auto cwd = text_of(*options, "cwd")) unit.cwd = parse_path("cwd", *cwd, context);
    read_environment(*options, "env", context, unit);
    if (options->contains("shell")) unit.remarks.push_back("without its own shell: /bin/sh runs the command");
}

imported_unit read_task(const json::object& task, const import_context& context) {
    imported_unit unit;
    const bool background = is_true(task, "isBackground");
    unit.kind = background ? unit::unit_kind::service : unit::unit_kind::task;
    set_task_command(task, context, unit);
    set_options(task, context, unit);
    set_after(task, unit);
    if (background) unit.keys.emplace_back("restart", "\"never\"");
    if (const json::object* run = object_of(task, "runOptions");
        run && text_of(*run, "runOn") == "folderOpen")
        unit.remarks.push_back("without runOn: nothing tells hob that a folder is opened");
    remark_other_keys(task,
                      {"label",
                       "taskName",
                       "type",
                       "command",
                       "args",
                       "options",
                       "dependsOn",
                       "dependsOrder",
                       "isBackground",
                       "runOptions",
                       "script",
                       "path",
                       "linux",
                       "osx",
                       "windows",
                       "group",
                       "presentation",
                       "problemMatcher",
                       "detail",
                       "icon",
                       "hide",
                       "promptOnClose",
                       "isBuildCommand",
                       "isTestCommand",
                       "showOutput",
                       "echoCommand",
                       "suppressTaskName"},
                      unit);
    return unit;
}

}  // namespace

bool read_tasks(const json::object& file, import_collector& found) {
    const json::value* all = file.if_contains("tasks");
    if (all == nullptr) return false;
    if (!all->is_array()) {
        found.refuse("tasks", fmt::format("it must be an array, not {}", kind_of(*all)));
        return true;
    }
    found.context.bare_names = false;
    int number = 0;
    for (const auto& element : all->get_array()) {
        found.entry(label_of(element, ++number), [&] {
            if (!element.is_object())
                throw unimportable(fmt::format("it must be an object, not {}", kind_of(element)));
            return read_task(merged_task(file, element.get_object()), found.context);
        });
    }
    return true;
}

}  // namespace hob::cmd
