#include "unit/protocol/dap/terminal.hpp"

#include <unistd.h>

#include <utility>

#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {

bool run_in_terminal(session_host& host, const worker_message& request) {
    std::vector<std::string> argv;
    const auto words = util::json_array_elements(util::json_find(request.payload, {"args"}));
    for (const auto word : words.value_or(std::vector<std::string_view>()))
        argv.push_back(util::json_display_text(word));
    if (argv.empty()) return false;
    // lldb-vscode that was found in PATH takes its own name for a path in its working directory.
    if (argv.front().find('/') != std::string::npos && ::access(argv.front().c_str(), X_OK) != 0)
        argv.front().erase(0, argv.front().rfind('/') + 1);
    environment_changes env;
    const auto changes = util::json_object_members(util::json_find(request.payload, {"env"}));
    for (const auto& change : changes.value_or(std::vector<util::json_member>())) {
        const bool removed = change.value == "null";
        env.emplace_back(change.key,
                         removed ? std::nullopt : std::optional(util::json_display_text(change.value)));
    }
    const auto cwd = util::json_find_string(request.payload, {"cwd"}).value_or("");
    const pid_t pid = host.run_program(std::move(argv), env, cwd);
    if (pid == 0) return false;
    host.reply(request, util::json_object().add("processId", pid).text());
    return true;
}

}  // namespace hob::unit
