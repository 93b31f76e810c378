#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "unit/config/config.hpp"
#include "unit/config/schema.hpp"
#include "unit/task/schedule.hpp"
#include "util/clock.hpp"
#include "util/json/json_pretty.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

struct target {
    std::string path;
    std::string cwd;  // of units without one; empty: the file's directory
};

target find_target(invocation& call) {
    if (call.operands.empty()) return {call.where().config_path, call.where().root};
    const std::string& file = call.operands.front();
    if (file.empty()) throw failure(error_kind::usage, cannot("check a file"), "its name is empty");
    const bool elsewhere = call.global.directory && !file.starts_with('/');
    return {elsewhere ? *call.global.directory + "/" + file : file, {}};
}

std::string to_json(const std::string& path, const unit::config& checked,
                    const std::optional<util::json_object>& next) {
    util::json_array units, warnings;
    for (const auto& each : checked.units)
        units.add(util::json_object().add("name", each.name).add("kind", unit::name_of(each.kind)));
    for (const auto& warning : checked.warnings)
        warnings.add(warning);
    util::json_object object;
    object.add("file", path).add("ok", true).add("units", units).add("warnings", warnings);
    return std::move(object.add_if("next", next)).text() + "\n";
}

constexpr std::size_t next_max = 10000;

// nullopt: --next is not given.
std::optional<std::size_t> next_count(const invocation& call) {
    const auto text = call.value("next");
    if (!text) return std::nullopt;
    std::size_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    if (error != std::errc{} || end != text->data() + text->size() || number < 1 || number > next_max) {
        throw failure(error_kind::usage, cannot("use", *text, "for '--next'"),
                      fmt::format("not a number from 1 to {}", next_max));
    }
    return number;
}

// Without jitter. The times of `every` are those of the daemon if it has scheduled the task, else they count
// from now.
std::vector<unit::wall_time> next_times(invocation& call, const unit::unit_spec& spec, std::size_t count) {
    const auto& task = std::get<unit::task_spec>(spec.detail);
    const auto now = std::chrono::system_clock::now();
    const auto known =
        call.operands.empty() ? unit::read_schedule(call.where().database_path(), spec.name) : std::nullopt;
    const auto plan = unit::plan_schedule(task, known, now);
    std::vector<unit::wall_time> times;
    auto slot = unit::next_slot(task, plan.record.anchor, now);
    for (; slot && times.size() < count; slot = unit::next_slot(task, plan.record.anchor, *slot))
        times.push_back(*slot);
    return times;
}

void print_next_times(invocation& call, const unit::config& checked, std::size_t count) {
    for (const auto& spec : checked.units) {
        if (spec.kind != unit::unit_kind::task) continue;
        for (const auto time : next_times(call, spec, count))
            print(fmt::format("{}  {}\n", util::rfc3339(time), spec.name));
    }
}

util::json_object next_json(invocation& call, const unit::config& checked, std::size_t count) {
    util::json_object tasks;
    for (const auto& spec : checked.units) {
        if (spec.kind != unit::unit_kind::task) continue;
        util::json_array times;
        for (const auto time : next_times(call, spec, count))
            times.add(util::rfc3339(time));
        tasks.add(spec.name, times);
    }
    return tasks;
}

exit_code print_schema(const invocation& call) {
    const std::string schema = unit::config_schema();
    print((call.global.json ? schema : util::json_pretty(schema, false)) + "\n");
    return exit_code::done;
}

void check_options(const invocation& call) {
    if (call.has("schema") && (call.has("next") || !call.operands.empty())) {
        throw failure(error_kind::usage, cannot("use", "--schema"), "it takes neither a file nor --next");
    }
}

exit_code run_check(invocation& call) {
    if (call.has("schema")) return print_schema(call);
    const auto next = next_count(call);
    const auto [path, cwd] = find_target(call);
    const unit::config checked = unit::load_config(path, ::geteuid(), cwd);
    if (call.global.json) {
        std::optional<util::json_object> times;
        if (next) times = next_json(call, checked, *next);
        print(to_json(path, checked, times));
        return exit_code::done;
    }
    for (const auto& warning : checked.warnings) {
        print_error(fmt::format("hob: warning: {}\n", printable(warning, err_terminal().utf8)));
    }
    const std::size_t count = checked.units.size();
    if (!call.global.quiet)
        print(fmt::format("{}: ok, {} unit{}\n", printable(path, out_terminal().utf8), count,
                          count == 1 ? "" : "s"));
    if (next) print_next_times(call, checked, *next);
    return exit_code::done;
}

constexpr option_row options[] = {
    {"next", "N", "print the next N times of each task that has a schedule"},
    {"schema", "", "print a JSON Schema of hob.toml, for editors"},
};

}  // namespace

extern constinit const command check_command;
constinit const command check_command{
    .name = "check",
    .summary = "validate a configuration, starting nothing",
    .usage = "[FILE]",
    .description =
        "Reads FILE, by default the hob.toml of this project, as a daemon would, and\n"
        "prints the first error by its line and column, or the number of units.\n"
        "Warnings go to standard error. Nothing is started or executed.",
    .need = daemon_need::looking,
    .units = unit_use::unnamed,
    .completes = operand_kind::file,
    .operands_max = 1,
    .options = options,
    .check = check_options,
    .run = run_check,
};

}  // namespace hob::cmd
