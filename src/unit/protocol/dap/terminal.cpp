#include "unit/protocol/dap/terminal.hpp"

#include <utility>

#include "error.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace {

namespace asio = boost::asio;

struct program_request {
    std::vector<std::string> argv;
    environment_changes env;
    std::string cwd;
};

program_request parse(const std::string& params) {
    program_request parsed;
    const auto words = util::json_array_elements(util::json_find(params, {"args"}));
    for (const auto word : words.value_or(std::vector<std::string_view>()))
        parsed.argv.push_back(util::json_display_text(word));
    const auto changes = util::json_object_members(util::json_find(params, {"env"}));
    for (const auto& change : changes.value_or(std::vector<util::json_member>())) {
        const bool removed = change.value == "null";
        parsed.env.emplace_back(
            change.key, removed ? std::nullopt : std::optional(util::json_display_text(change.value)));
    }
    parsed.cwd = util::json_find_string(params, {"cwd"}).value_or("");
    return parsed;
}

// nullopt: the program did not start, and `why` says why.
asio::awaitable<std::optional<pid_t>> try_to_run(session_host& host, program_request program,
                                                 std::string& why) {
    try {
        co_return co_await host.run_program(program.argv, program.env, program.cwd);
    } catch (const failure& failed) {
        why = failed.reason();
    }
    co_return std::nullopt;
}

asio::awaitable<void> run_and_answer(session_host& host, worker_message request, program_request program) {
    std::string why;
    auto pid = co_await try_to_run(host, program, why);
    // lldb-vscode that was found in PATH takes its own name for a path in its working directory.
    const auto slash = program.argv.front().rfind('/');
    if (!pid && slash != std::string::npos) {
        std::string ignored;
        program.argv.front().erase(0, slash + 1);
        pid = co_await try_to_run(host, program, ignored);
    }
    if (pid) {
        host.reply(request, util::json_object().add("processId", *pid).text());
        co_return;
    }
    util::log(util::level::warning, "unit", "a program for a worker did not start",
              {util::field("unit", host.spec().name), util::field("reason", why)});
    host.refuse(request, why);
}

}  // namespace

bool run_in_terminal(session_host& host, const worker_message& request) {
    program_request program = parse(request.payload);
    if (program.argv.empty()) return false;
    host.spawn(run_and_answer(host, request, std::move(program)), "runInTerminal");
    return true;
}

bool refuse_child_session(session_host& host, const worker_message& request) {
    host.emit_event("startDebugging", request.payload);
    host.refuse(request, "one worker of hob is one session; a child needs a worker of its own");
    return true;
}

}  // namespace hob::unit
