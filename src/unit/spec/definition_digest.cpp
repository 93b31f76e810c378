#include "unit/spec/definition_digest.hpp"

#include <algorithm>

#include "util/json/json_writer.hpp"
#include "util/sha256.hpp"
#include "util/shell_quote.hpp"

namespace hob::unit {
namespace {

// A script as it was written: what hob makes of it is not part of the definition.
void add_command(util::json_object& object, std::string_view key, const run_spec& run) {
    if (run.text != util::shell_quoted(run.argv)) {
        object.add(key, run.text);
        return;
    }
    util::json_array words;
    for (const auto& word : run.argv)
        words.add(word);
    object.add(key, words);
}

void add_environment(util::json_object& object, std::string_view key, variable_list variables) {
    if (variables.empty()) return;
    std::sort(variables.begin(), variables.end());
    util::json_object members;
    for (const auto& [name, value] : variables)
        members.add(name, value);
    object.add(key, members);
}

void add_env_files(util::json_object& object, const std::vector<env_file_spec>& files) {
    if (files.empty()) return;
    if (files.size() == 1 && files.front().required) {
        object.add("env_file", files.front().path);
        return;
    }
    util::json_array array;
    for (const auto& file : files)
        array.add(util::json_object().add("path", file.path).add("required", file.required));
    object.add("env_file", array);
}

void add_dependencies(util::json_object& object, std::vector<std::string> names) {
    if (names.empty()) return;
    std::sort(names.begin(), names.end());
    util::json_array array;
    for (const auto& name : names)
        array.add(name);
    object.add("after", array);
}

void add_detail(util::json_object& object, const worker_spec& spec) {
    if (spec.initialize_json != "{}") object.add("initialize", util::raw_json{spec.initialize_json});
    if (spec.settings_json != "{}") object.add("settings", util::raw_json{spec.settings_json});
}

void add_detail(util::json_object& object, const service_spec& spec) {
    if (spec.autostart) object.add("autostart", true);
    if (spec.ready.exec) add_command(object, "ready", *spec.ready.exec);
    if (spec.health && spec.health->probe.exec) add_command(object, "health", *spec.health->probe.exec);
}

void add_detail(util::json_object& object, const task_spec& spec) {
    if (spec.on_start) object.add("on_start", true);
    if (spec.every || spec.cron) object.add("schedule", true);
}

bool triggered(const worker_spec&) { return false; }
bool triggered(const service_spec& spec) { return spec.autostart; }
bool triggered(const task_spec& spec) { return spec.on_start || spec.every || spec.cron; }

// A service's watch starts only what was started before.
bool is_triggered_by_files(const unit_spec& spec) {
    return spec.kind == unit_kind::task && !spec.watch.patterns.empty();
}

}  // namespace

std::string definition_digest(const unit_spec& spec) {
    util::json_object object;
    object.add("kind", name_of(spec.kind)).add("cwd", spec.cwd);
    add_command(object, "run", spec.run);
    add_environment(object, "shared_env", spec.shared_env);
    add_environment(object, "file_env", spec.file_env);
    add_environment(object, "env", spec.env);
    add_env_files(object, spec.env_files);
    add_dependencies(object, spec.after);
    if (spec.on_failure) add_command(object, "on_failure", *spec.on_failure);
    if (spec.stop.run) add_command(object, "stop", *spec.stop.run);
    std::visit([&object](const auto& detail) { add_detail(object, detail); }, spec.detail);
    if (is_triggered_by_files(spec)) object.add("watch", true);
    return util::sha256_hex(object.text());
}

std::string variables_digest(const variable_list& variables) {
    util::json_object object;
    add_environment(object, "shared_env", variables);
    return util::sha256_hex(object.text());
}

std::string held_back_text(const std::string& unit, bool is_new) {
    return (is_new ? "new; accepted by: hob start " : "it waits for a new unit; accepted by: hob start ") +
           unit;
}

bool starts_by_itself(const unit_spec& spec) {
    if (!spec.enabled) return false;
    return is_triggered_by_files(spec) ||
           std::visit([](const auto& detail) { return triggered(detail); }, spec.detail);
}

}  // namespace hob::unit
