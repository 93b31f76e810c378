#include <fmt/format.h>

#include <algorithm>

#include "cmd/export/writers.hpp"
#include "cmd/formats/command_words.hpp"
#include "cmd/formats/draft.hpp"
#include "unit/config/run_command.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;

// A period that divides the next larger one, so that a cron field can have it.
std::optional<std::string> cron_of_period(milliseconds period) {
    const auto count = period.count();
    if (count <= 0 || count % 60'000 != 0) return std::nullopt;
    const auto minutes = count / 60'000;
    if (minutes < 60 && 60 % minutes == 0)
        return minutes == 1 ? "* * * * *" : fmt::format("*/{} * * * *", minutes);
    if (minutes % 60 != 0) return std::nullopt;
    const auto hours = minutes / 60;
    if (hours < 24 && 24 % hours == 0) return hours == 1 ? "0 * * * *" : fmt::format("0 */{} * * *", hours);
    if (hours == 24) return "0 0 * * *";
    return hours == 24 * 7 ? std::optional<std::string>("0 0 * * 0") : std::nullopt;
}

constexpr std::string_view known_keys[] = {
    "run",      "env",          "env_file", "cwd",       "stop",     "stop.signal", "stop.timeout",
    "kill",     "output",       "after",    "groups",    "enabled",  "on_failure",  "ready",
    "restart",  "max_restarts", "backoff",  "autostart", "watchdog", "every",       "cron",
    "on_start", "jitter",       "catch_up", "overlap",   "timeout",  "retry",       "keep",
    "ignore",   "gitignore",    "debounce",  // of watch
};

bool is_known(std::string_view key) {
    return std::find(std::begin(known_keys), std::end(known_keys), key) != std::end(known_keys);
}

const unit::tree_value* member_of(const unit::tree_value& table, std::string_view key) {
    for (const auto& member : table.members)
        if (member.key == key) return &member.value;
    return nullptr;
}

// The table of the unit; nullptr: the file does not have it.
const unit::tree_value* table_of(const unit::tree_value& file, unit::unit_kind kind, std::string_view name) {
    const auto* units = member_of(file, unit::name_of(kind));
    return units != nullptr ? member_of(*units, name) : nullptr;
}

const unit::tree_value* table_of(const unit::source_trees& sources, const unit::unit_spec& unit) {
    if (const auto* table = table_of(sources.main, unit.kind, unit.name)) return table;
    for (const auto& file : sources.included) {
        if (!unit.name.starts_with(file.prefix + ".")) continue;
        if (const auto* table = table_of(file.tree, unit.kind, unit.name.substr(file.prefix.size() + 1)))
            return table;
    }
    return nullptr;
}

}  // namespace

std::vector<std::string> further_keys(const unit::unit_spec& unit, const export_request& request) {
    std::vector<std::string> keys;
    const auto* table = request.sources != nullptr ? table_of(*request.sources, unit) : nullptr;
    if (table == nullptr) return keys;
    for (const auto& member : table->members) {
        if (!is_known(member.key)) keys.push_back(member.key);
        if (member.key != "stop") continue;
        for (const auto& inner : member.value.members)
            if (!is_known("stop." + inner.key)) keys.push_back("stop." + inner.key);
    }
    return keys;
}

void note_list::add_further_keys(const export_request& request,
                                 std::initializer_list<std::string_view> carried) {
    auto keys = further_keys(unit_, request);
    std::erase_if(keys, [&](const std::string& key) {
        return std::find(carried.begin(), carried.end(), key) != carried.end();
    });
    if (!keys.empty()) add(fmt::format("without {}", joined(keys)));
}

std::optional<std::string> shell_script(const unit::run_spec& run, std::string_view name) {
    const auto& argv = run.argv;
    const bool shell = argv.size() == 4 && argv[0] == "/bin/sh" && argv[1] == "-c" && argv[3] == name;
    // The text of an array quotes its script, so it differs from it.
    const bool as_written = shell && (argv[2] == run.text || unit::is_plain_command(run.text));
    if (!as_written) return std::nullopt;
    return run.text;
}

std::vector<std::string> command_words(const unit::run_spec& run, std::string_view name) {
    const auto script = shell_script(run, name);
    if (script && unit::is_plain_command(*script)) return split_words(*script).value_or(run.argv);
    return run.argv;
}

std::vector<std::string> variable_names(const unit::unit_spec& unit, const unit::config& config) {
    std::vector<std::string> names;
    const auto is_port = [&](const std::string& name) {
        return std::any_of(config.ports.begin(), config.ports.end(),
                           [&](const auto& port) { return port.first == name; });
    };
    for (const auto* variables : {&unit.shared_env, &unit.file_env, &unit.env}) {
        for (const auto& variable : *variables) {
            const std::string& name = variable.first;
            if (variables != &unit.env && is_port(name)) continue;
            if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
    return names;
}

std::string joined(const std::vector<std::string>& texts, std::string_view between) {
    std::string all;
    for (const auto& text : texts)
        all.append(all.empty() ? std::string_view() : between).append(text);
    return all;
}

std::string seconds_text(milliseconds duration) {
    const auto count = duration.count();
    if (count % 1000 == 0) return std::to_string(count / 1000);
    std::string text = fmt::format("{}.{:03}", count / 1000, count % 1000);
    while (text.ends_with('0'))
        text.pop_back();
    return text;
}

std::optional<std::string> cron_text(const unit::task_spec& task) {
    if (task.cron) return task.cron->text;
    return task.every ? cron_of_period(*task.every) : std::nullopt;
}

void note_list::add(const std::string& text) {
    texts_.push_back(text);
    result_.notes.push_back({unit_.name, text});
}

std::string note_list::comments() const {
    std::string text;
    for (const auto& each : texts_)
        text += "# " + toml_comment(each) + "\n";
    return text;
}

}  // namespace hob::cmd
