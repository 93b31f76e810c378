#include <algorithm>

#include "cmd/core/command.hpp"

namespace hob::cmd {

extern constinit const command attach_command;
extern constinit const command call_command;
extern constinit const command check_command;
extern constinit const command completions_command;
extern constinit const command daemon_command;
extern constinit const command disable_command;
extern constinit const command doctor_command;
extern constinit const command down_command;
extern constinit const command enable_command;
extern constinit const command env_command;
extern constinit const command events_command;
extern constinit const command export_command;
extern constinit const command help_command;
extern constinit const command import_command;
extern constinit const command init_command;
extern constinit const command list_command;
extern constinit const command logs_command;
extern constinit const command ping_command;
extern constinit const command prompt_command;
extern constinit const command reload_command;
extern constinit const command restart_command;
extern constinit const command run_command;
extern constinit const command runs_command;
extern constinit const command shutdown_command;
extern constinit const command signal_command;
extern constinit const command start_command;
extern constinit const command status_command;
extern constinit const command stop_command;
extern constinit const command up_command;
extern constinit const command wait_command;

namespace {

// Sorted by name.
constexpr const command* table[] = {
    &attach_command,  &call_command,   &check_command, &completions_command, &daemon_command,
    &disable_command, &doctor_command, &down_command,  &enable_command,      &env_command,
    &events_command,  &export_command, &help_command,  &import_command,      &init_command,
    &list_command,    &logs_command,   &ping_command,  &prompt_command,      &reload_command,
    &restart_command, &run_command,    &runs_command,  &shutdown_command,    &signal_command,
    &start_command,   &status_command, &stop_command,  &up_command,          &wait_command,
};

}  // namespace

std::span<const command* const> all_commands() { return table; }

const command* find_command(std::string_view name) {
    const auto found =
        std::lower_bound(std::begin(table), std::end(table), name,
                         [](const command* entry, std::string_view key) { return entry->name < key; });
    return found != std::end(table) && (*found)->name == name ? *found : nullptr;
}

}  // namespace hob::cmd
