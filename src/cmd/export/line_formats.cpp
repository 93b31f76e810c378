// Procfile and crontab: a command a line.

#include <fmt/format.h>

#include <algorithm>

#include "cmd/export/writers.hpp"
#include "cmd/formats/draft.hpp"
#include "cmd/formats/scripts.hpp"
#include "unit/config/run_command.hpp"
#include "util/shell_quote.hpp"

namespace hob::cmd {
namespace {

// A first word with `=` would be an assignment.
std::string words_line(const std::vector<std::string>& argv) {
    const std::string text = util::shell_quoted(argv);
    const bool assigns = argv[0].find('=') != std::string::npos && text.starts_with(argv[0]);
    return assigns ? "'" + argv[0] + "'" + text.substr(argv[0].size()) : text;
}

// One line for a shell; nullopt: it has a line break.
std::optional<std::string> command_line(const unit::unit_spec& unit, const std::string& directory) {
    const auto script = shell_script(unit.run, unit.name);
    std::string text = script ? *script : words_line(unit.run.argv);
    if (!directory.empty()) {
        if (script && !unit::is_plain_command(*script)) text = util::shell_quoted({"/bin/sh", "-c", *script});
        text = fmt::format("cd {} && {}", util::shell_quoted({directory}), text);
    }
    if (text.find_first_of("\n\r") != std::string::npos) return std::nullopt;
    return text;
}

// As seen from the root: empty for the root itself.
std::string relative(const std::string& path, const std::string& root) {
    if (path == root) return {};
    return path.starts_with(root + "/") ? path.substr(root.size() + 1) : path;
}

bool is_listable(const std::string& text) {
    return text.find_first_of(",\n\r") == std::string::npos && text.find_first_of(" \t") != 0;
}

// Comments that `hob import` reads again, since the format has no place for this.
std::string dependencies(const unit::unit_spec& unit, const export_request& request,
                         std::vector<std::string> names) {
    std::vector<std::string> files;
    for (const auto& file : unit.env_files)
        if (is_listable(file.path)) files.push_back(relative(file.path, request.root));
    std::erase_if(names, [](const std::string& name) { return !is_listable(name); });
    std::string text;
    if (!unit.after.empty()) text += fmt::format("# after: {}\n", joined(unit.after));
    if (!names.empty()) text += fmt::format("# environment: {}\n", toml_comment(joined(names)));
    if (!files.empty()) text += fmt::format("# env_file: {}\n", toml_comment(joined(files)));
    return text;
}

// Those of [ports] included, for a format that has no place for their values.
std::vector<std::string> names_with_ports(const unit::unit_spec& unit, const unit::config& config) {
    std::vector<std::string> names = variable_names(unit, config);
    for (const auto& [name, port] : config.ports)
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    return names;
}

void note_variables(const unit::unit_spec& unit, const std::vector<std::string>& names, note_list& notes,
                    std::string_view from) {
    if (!names.empty()) notes.add(fmt::format("{} must have the values of {}", from, joined(names)));
    if (!unit.after.empty()) notes.add(fmt::format("nothing waits for {}", joined(unit.after)));
}

void note_service(const unit::unit_spec& unit, note_list& notes) {
    const auto& service = std::get<unit::service_spec>(unit.detail);
    std::vector<std::string> lost;
    if (service.ready.form != unit::ready_form::started) lost.emplace_back("ready");
    if (service.watchdog) lost.emplace_back("watchdog");
    if (unit.on_failure) lost.emplace_back("on_failure");
    if (!(unit.stop == unit::stop_spec{})) lost.emplace_back("stop");
    if (service.max_restarts != 0) lost.emplace_back("max_restarts");
    if (service.restart != unit::restart_policy::on_failure) lost.emplace_back("restart");
    if (!lost.empty()) notes.add(fmt::format("without {}, which a Procfile cannot express", joined(lost)));
}

void note_task(const unit::unit_spec& unit, note_list& notes) {
    const auto& task = std::get<unit::task_spec>(unit.detail);
    std::vector<std::string> lost;
    if (task.timeout) lost.emplace_back("timeout");
    if (task.retry.max != 0) lost.emplace_back("retry");
    if (task.jitter.count() != 0) lost.emplace_back("jitter");
    if (unit.on_failure) lost.emplace_back("on_failure");
    if (!lost.empty()) notes.add(fmt::format("without {}, which a crontab cannot express", joined(lost)));
    if (task.catch_up == unit::catch_up_policy::once)
        notes.add("cron does not catch up on times that a stopped machine has missed");
    if (task.overlap == unit::overlap_policy::skip)
        notes.add("cron starts it although an earlier run goes on");
}

std::string heading(std::string_view of) {
    return fmt::format("{}, as a {}. Lines before an entry say what this format cannot.\n", export_heading,
                       of);
}

std::string cron_escaped(const std::string& command) {
    std::string text;
    for (const char c : command) {
        if (c == '%') text += '\\';
        text += c;
    }
    return text;
}

}  // namespace

export_result export_procfile(const export_request& request) {
    export_result result;
    std::string text = heading("Procfile");
    bool any = false;
    for (const auto* unit : request.units) {
        note_list notes(*unit, result);
        const auto command = command_line(*unit, relative(unit->cwd, request.root));
        if (unit->kind != unit::unit_kind::service) {
            notes.add(fmt::format("not exported: a Procfile has services, and it is a {}",
                                  unit::name_of(unit->kind)));
        } else if (!command) {
            notes.add("not exported: its command has a line break");
        } else {
            const auto names = names_with_ports(*unit, request.config);
            note_variables(*unit, names, notes, ".env");
            note_service(*unit, notes);
            notes.add_further_keys(request);
            text += "\n" + notes.comments() + dependencies(*unit, request, names) + unit->name + ": " +
                    *command + "\n";
            any = true;
            continue;
        }
        text += "\n# " + unit->name + "\n" + notes.comments();
    }
    if (any) result.files.push_back({"Procfile", text});
    return result;
}

export_result export_crontab(const export_request& request) {
    export_result result;
    std::string text = heading("crontab");
    if (!request.config.ports.empty()) text += "\n";
    for (const auto& [name, port] : request.config.ports)
        text += fmt::format("{}={}\n", name, port);
    bool any = false;
    for (const auto* unit : request.units) {
        note_list notes(*unit, result);
        const auto* task = std::get_if<unit::task_spec>(&unit->detail);
        const auto times = task != nullptr ? cron_text(*task) : std::nullopt;
        const auto command = command_line(*unit, unit->cwd);
        if (task == nullptr) {
            notes.add(
                fmt::format("not exported: a crontab has tasks, and it is a {}", unit::name_of(unit->kind)));
        } else if (!times && !task->on_start) {
            notes.add(task->every ? "not exported: cron cannot express its period"
                                  : "not exported: it has no times");
        } else if (!command) {
            notes.add("not exported: its command has a line break");
        } else {
            const auto names = variable_names(*unit, request.config);
            note_variables(*unit, names, notes, "its environment");
            note_task(*unit, notes);
            notes.add_further_keys(request);
            text += "\n" + notes.comments() + "# name: " + unit->name + "\n" +
                    dependencies(*unit, request, names);
            if (times) text += *times + " " + cron_escaped(*command) + "\n";
            if (task->on_start)
                text += (times ? "# name: " + unit->name + "\n" : "") + "@reboot " + cron_escaped(*command) +
                        "\n";
            any = true;
            continue;
        }
        text += "\n# " + unit->name + "\n" + notes.comments();
    }
    if (any) result.files.push_back({"crontab", text});
    return result;
}

}  // namespace hob::cmd
