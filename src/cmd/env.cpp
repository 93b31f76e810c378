#include <fmt/format.h>
#include <unistd.h>

#include <sys/stat.h>

#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "unit/config/config.hpp"
#include "unit/ports/instance_ports.hpp"
#include "unit/process/environment.hpp"
#include "util/json/json_writer.hpp"
#include "util/shell_quote.hpp"
#include "util/utf8.hpp"

namespace hob::cmd {
namespace {

using assignments = std::vector<std::pair<std::string, std::string>>;

unit::config read_config(const lifecycle::instance& where) {
    struct stat found {};
    if (!where.config_required && ::stat(where.config_path.c_str(), &found) != 0)
        return unit::default_config();
    return unit::load_config(where.config_path, ::geteuid(), where.root);
}

// Those that the daemon has chosen. Without any: what it would choose now.
unit::port_list current_ports(const lifecycle::instance& where, const unit::port_list& preferred) {
    const auto reserved = unit::read_port_reservations(unit::port_reservations_path(where.state_root));
    unit::port_list chosen;
    for (const auto& [name, port] : preferred) {
        for (const auto& each : reserved) {
            if (each.instance == where.key && each.name == name) chosen.emplace_back(name, each.port);
        }
    }
    return unit::choose_ports(preferred, chosen, where.key, reserved);
}

std::vector<std::string> own_environment() {
    std::vector<std::string> entries;
    for (char** entry = environ; entry && *entry; ++entry)
        entries.emplace_back(*entry);
    return entries;
}

// [env] as it is expanded for this shell, then [ports], in file order; a port replaces a variable.
assignments variables_of(invocation& call) {
    const lifecycle::instance& where = call.where();
    const unit::config config = read_config(where);
    const unit::port_list ports = current_ports(where, config.ports);
    const auto values = unit::shared_variables(own_environment(), config.env, ports);
    assignments found;
    const auto add = [&](const std::string& name) {
        for (const auto& [known, value] : found) {
            if (known == name) return;
        }
        found.emplace_back(name, values.at(name));
    };
    for (const auto& [name, value] : config.env)
        add(name);
    for (const auto& [name, port] : ports)
        add(name);
    return found;
}

// fish knows no escape in single quotes but \' and \\.
std::string fish_quoted(const std::string& text) {
    std::string quoted = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

std::string line_for(const std::string& shell, const std::string& name, const std::string& value) {
    if (shell == "fish") return fmt::format("set -gx {} {};\n", name, fish_quoted(value));
    return fmt::format("export {}={}\n", name, util::shell_quoted({value}));
}

std::string to_json(const assignments& variables) {
    util::json_object object;
    for (const auto& [name, value] : variables) {
        if (!util::is_utf8(value)) {
            throw failure(error_kind::unit_failed, cannot("print", name, "as JSON"), "its value is not UTF-8",
                          "without --json it is printed as it is");
        }
        object.add(name, value);
    }
    return std::move(object).text() + "\n";
}

exit_code run_env(invocation& call) {
    const std::string shell = call.value("shell").value_or("sh");
    if (shell != "sh" && shell != "fish")
        throw failure(error_kind::usage, cannot("use", shell, "for '--shell'"), "not sh or fish",
                      "bash and zsh read what is for sh");
    const assignments variables = variables_of(call);
    if (call.global.json) {
        print(to_json(variables));
        return exit_code::done;
    }
    std::string text;
    for (const auto& [name, value] : variables) {
        if (unit::is_variable_name(name)) {
            text += line_for(shell, name, value);
        } else {
            print_error(
                fmt::format("hob: '{}' is left out: no shell can have that name\n", printable(name, false)));
        }
    }
    print(text);
    return exit_code::done;
}

constexpr option_row options[] = {
    {"shell", "SHELL", "sh (the default; also for bash and zsh) or fish", "sh fish"}};

}  // namespace

extern constinit const command env_command;
constinit const command env_command{
    .name = "env",
    .summary = "print the variables of [env] and [ports] for a shell",
    .usage = "",
    .description =
        "Prints the variables of [env] and [ports], for eval in a shell. The ports are\n"
        "those of the units that are up; when none is up, those that the next start\n"
        "would choose. It starts nothing.",
    .need = daemon_need::looking,
    .units = unit_use::all,
    .options = options,
    .run = run_env,
};

}  // namespace hob::cmd
