// VS Code's launch.json: the debug adapter of a configuration, and the params to call it with.

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>
#include <array>

#include "cmd/formats/json_file.hpp"
#include "cmd/formats/readers.hpp"
#include "util/json/json_text.hpp"

namespace hob::cmd {
namespace {

namespace json = boost::json;

// Keys that the editor handles, not the adapter.
constexpr std::array<std::string_view, 22> editor_keys{
    "type",
    "request",
    "name",
    "preLaunchTask",
    "postDebugTask",
    "presentation",
    "internalConsoleOptions",
    "debugServer",
    "serverReadyAction",
    "windows",
    "osx",
    "linux",
    "console",
    "externalConsole",
    "MIMode",
    "miDebuggerPath",
    "setupCommands",
    "environment",
    "stopAtEntry",
    "logging",
    "envFile",
    "processId",
};

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

// LLDB's adapter has had several names, and Debian appends its version.
std::string find_lldb(const import_environment& machine) {
    for (const char* name : {"lldb-dap", "lldb-vscode"}) {
        if (machine.has_program(name)) return name;
    }
    for (int version = 25; version >= 11; --version) {
        for (const char* name : {"lldb-dap", "lldb-vscode"}) {
            std::string versioned = fmt::format("{}-{}", name, version);
            if (machine.has_program(versioned)) return versioned;
        }
    }
    throw unimportable("its adapter is not installed: lldb-dap, or lldb-vscode of Debian's lldb");
}

// Expands the variables in `value`. False: it holds one that only an editor knows, which is in `unknown`.
bool resolve_literals(json::value& value, const import_context& context, std::string& unknown) {
    if (value.is_string()) {
        try {
            const import_word word = parse_word(std::string_view(value.get_string()), context);
            if (is_literal(word)) {
                value = literal_text(word);
                return true;
            }
            unknown = value.get_string().c_str();
        } catch (const unimportable&) {
            unknown = value.get_string().c_str();
        }
        return false;
    }
    if (value.is_array()) {
        for (auto& element : value.get_array()) {
            if (!resolve_literals(element, context, unknown)) return false;
        }
    } else if (value.is_object()) {
        for (auto& member : value.get_object()) {
            if (!resolve_literals(member.value(), context, unknown)) return false;
        }
    }
    return true;
}

// A list of NAME=VALUE, as LLDB expects it, from `env` or from cppdbg's `environment`.
void environment_for_lldb(const json::object& entry, json::object& params) {
    json::array all;
    const json::value* env = entry.if_contains("env");
    if (env != nullptr && env->is_object()) {
        for (const auto& element : env->get_object()) {
            const auto& value = element.value();
            const std::string text = value.is_string() ? std::string(std::string_view(value.get_string()))
                                                       : json::serialize(value);
            all.emplace_back(fmt::format("{}={}", std::string_view(element.key()), text));
        }
    }
    const json::value* pairs = entry.if_contains("environment");
    if (pairs != nullptr && pairs->is_array()) {
        for (const auto& element : pairs->get_array()) {
            if (!element.is_object()) throw unimportable("its 'environment' must hold objects");
            all.emplace_back(text_of(element.get_object(), "name").value_or("") + "=" +
                             text_of(element.get_object(), "value").value_or(""));
        }
    }
    if (!all.empty()) params["env"] = std::move(all);
}

// The entry with its members for Linux merged over it.
json::object for_linux(const json::object& entry) {
    json::object merged = entry;
    const json::value* here = entry.if_contains("linux");
    if (here == nullptr || !here->is_object()) return merged;
    for (const auto& member : here->get_object())
        merged[member.key()] = member.value();
    return merged;
}

json::object params_of(const json::object& entry, const import_context& context, bool lldb,
                       std::vector<std::string>& notes) {
    json::object params;
    for (const auto& member : entry) {
        if (std::find(editor_keys.begin(), editor_keys.end(), member.key()) == editor_keys.end())
            params[member.key()] = member.value();
    }
    if (lldb) {
        environment_for_lldb(entry, params);
        const json::value* stop = entry.if_contains("stopAtEntry");
        if (stop != nullptr && stop->is_bool() && stop->get_bool()) params["stopOnEntry"] = true;
        const json::value* process = entry.if_contains("processId");
        if (process != nullptr) params["pid"] = *process;
    } else if (const json::value* process = entry.if_contains("processId")) {
        params["processId"] = *process;
    }
    std::vector<std::string> unknown;
    for (auto& member : params) {
        std::string what;
        if (resolve_literals(member.value(), context, what)) continue;
        unknown.emplace_back(member.key());
        notes.push_back(
            fmt::format("without {}, which is '{}': give it when you call", unknown.back(), what));
    }
    for (const auto& key : unknown)
        params.erase(key);
    return params;
}

void choose_adapter(const json::object& entry, const std::string& type, const import_context& context,
                    const import_environment& machine, imported_unit& unit) {
    if (is_one_of(type, {"lldb", "lldb-dap", "lldb-vscode", "cppdbg"})) {
        unit.run = {parse_word(find_lldb(machine), context)};
    } else if (is_one_of(type, {"python", "debugpy"})) {
        const auto python = text_of(entry, "python");
        if (!python && !machine.has_debugpy())
            throw unimportable("its adapter is not installed: python3 has no debugpy");
        unit.run = {parse_word(python.value_or("python3"), context), parse_word("-m", context),
                    parse_word("debugpy.adapter", context)};
    } else if (type == "go") {
        if (!machine.has_program("dlv")) throw unimportable("its adapter is not installed: dlv");
        unit.run = {parse_word("dlv", context), parse_word("dap", context)};
        unit.connect = R"x({ log = "listening at: ([^ ]+)" })x";
    } else {
        throw unimportable(
            fmt::format("hob knows no adapter for type '{}': name one in hob.toml yourself", type));
    }
}

imported_unit read_configuration(const json::object& original, const import_context& context,
                                 const import_environment& machine) {
    const json::object entry = for_linux(original);
    const auto type = text_of(entry, "type");
    if (!type || type->empty()) throw unimportable("it has no type");
    const std::string request = text_of(entry, "request").value_or("launch");
    if (request != "launch" && request != "attach")
        throw unimportable(fmt::format("its request is '{}', neither launch nor attach", request));
    imported_unit unit;
    unit.protocol = "dap";
    choose_adapter(entry, *type, context, machine, unit);
    if (const auto task = text_of(entry, "preLaunchTask"))
        unit.remarks.push_back(fmt::format("without its preLaunchTask '{}': do that before you call", *task));
    const bool lldb = !is_one_of(*type, {"python", "debugpy", "go"});
    const json::object params = params_of(entry, context, lldb, unit.remarks);
    unit.comment = request;
    if (!params.empty()) unit.comment += " " + shell_word({{json::serialize(params), false, {}}});
    return unit;
}

std::string name_of_configuration(const json::value& element, int number) {
    const json::value* named = element.is_object() ? element.get_object().if_contains("name") : nullptr;
    return named != nullptr && named->is_string() ? named->get_string().c_str()
                                                  : fmt::format("configuration {}", number);
}

}  // namespace

bool read_configurations(const json::object& file, import_collector& found) {
    const json::value* all = file.if_contains("configurations");
    if (all == nullptr) return false;
    if (!all->is_array()) {
        found.refuse("configurations", fmt::format("it must be an array, not {}", kind_of(*all)));
        return true;
    }
    found.context.bare_names = false;
    int number = 0;
    for (const auto& element : all->get_array()) {
        found.entry(name_of_configuration(element, ++number), [&] {
            if (!element.is_object())
                throw unimportable(fmt::format("it must be an object, not {}", kind_of(element)));
            return read_configuration(element.get_object(), found.context, found.machine);
        });
    }
    const json::value* compounds = file.if_contains("compounds");
    if (compounds && compounds->is_array() && !compounds->get_array().empty())
        found.refuse("compounds", "each of their configurations is a worker of its own");
    return true;
}

}  // namespace hob::cmd
