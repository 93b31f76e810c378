#include "unit/protocol/dap/terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <utility>

#include "util/json_edit.hpp"
#include "util/json_text.hpp"

namespace hob::unit {

bool run_in_terminal(session_host& with, const worker_message& request) {
    std::vector<std::string> argv;
    const auto words = util::json_array_elements(util::json_find(request.payload, {"args"}));
    for (const auto word : words.value_or(std::vector<std::string_view>()))
        argv.push_back(util::json_display_text(word));
    if (argv.empty()) return false;
    // lldb-vscode takes its own name, when it was found in PATH, for one in the directory it runs in.
    if (argv.front().find('/') != std::string::npos && ::access(argv.front().c_str(), X_OK) != 0)
        argv.front().erase(0, argv.front().rfind('/') + 1);
    std::vector<std::pair<std::string, std::optional<std::string>>> env;
    const auto changes = util::json_object_members(util::json_find(request.payload, {"env"}));
    for (const auto& one : changes.value_or(std::vector<util::json_member>())) {
        env.emplace_back(one.key,
                         one.value == "null" ? std::nullopt : std::optional(util::json_display_text(one.value)));
    }
    const auto cwd = util::json_find_string(request.payload, {"cwd"}).value_or("");
    const pid_t pid = with.run_beside(std::move(argv), env, cwd);
    if (pid == 0) return false;
    with.reply(request, fmt::format(R"({{"processId":{}}})", pid));
    return true;
}

}  // namespace hob::unit
