#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/run/client.hpp"
#include "cmd/run/methods.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "unit/config/run_command.hpp"
#include "util/json_text.hpp"
#include "util/shell_quote.hpp"

namespace hob::cmd {
namespace {

constexpr int reconnects_max = 8;  // daemons that went away before they read the request, one after the other

std::vector<std::string> own_environment() {
    std::vector<std::string> entries;
    for (char** entry = environ; entry && *entry; ++entry)
        entries.emplace_back(*entry);
    return entries;
}

std::string current_directory() {
    char* found = ::getcwd(nullptr, 0);
    if (!found) throw denied("find", "the current directory", errno);
    std::string path = found;
    ::free(found);  // NOLINT: getcwd's own
    return path;
}

// A pipe, a file or a socket is input that somebody means; a terminal is not read, and /dev/null has nothing.
bool has_input() {
    struct stat found {};
    if (::fstat(STDIN_FILENO, &found) != 0) return false;
    return S_ISFIFO(found.st_mode) || S_ISREG(found.st_mode) || S_ISSOCK(found.st_mode);
}

run_request request_of(invocation& call) {
    if (call.operands.empty() && call.command.empty()) {
        throw failure(error_kind::usage, "cannot run '': neither a task nor a command is named",
                      "hob run TASK [-- ARGS...], or hob run -- CMD...");
    }
    run_request wanted;
    if (call.operands.empty()) {
        wanted.command = call.command;
        wanted.cwd = current_directory();
    } else {
        wanted.task = call.operands.front();
        wanted.arguments = call.command;
    }
    wanted.environment = own_environment();
    wanted.detach = call.has("detach");
    if (!call.has("tty")) {
        wanted.input = !wanted.detach && has_input();
        return wanted;
    }
    if (wanted.detach) throw failure(error_kind::usage, "cannot use '--tty' with '--detach'");
    winsize window{24, 80, 0, 0};
    ::ioctl(STDIN_FILENO, TIOCGWINSZ, &window);
    wanted.terminal = unit::terminal_size{window.ws_row, window.ws_col};
    if (const char* term = std::getenv("TERM")) wanted.terminal_type = term;
    return wanted;
}

// The exit status in the detail of a run that could not start: {"exit":N}.
std::optional<int> exit_in(const failure& why) {
    for (const auto& member :
         util::json_object_members(why.detail()).value_or(std::vector<util::json_member>())) {
        if (member.key != "exit") continue;
        if (const auto status = util::json_integer(member.value)) return static_cast<int>(*status);
    }
    return std::nullopt;
}

exit_code detach(invocation& call, const std::string& params) {
    const std::string result =
        lifecycle::request_acting(call.where(), connect_options_of(call), "task.run", params, call.limit);
    if (call.global.json) {
        print(result + "\n");
        return exit_code::done;
    }
    for (const auto& member : util::json_object_members(result).value_or(std::vector<util::json_member>())) {
        if (member.key == "run") print(std::string(member.value) + "\n");
    }
    return exit_code::done;
}

exit_code follow(invocation& call, const run_request& wanted, const std::string& params) {
    const bool terminal = wanted.terminal && ::isatty(STDIN_FILENO) == 1;
    for (int attempt = 1;; ++attempt) {
        ipc::client daemon = lifecycle::connect_acting(call.where(), connect_options_of(call));
        const std::string what = wanted.task.value_or(util::shell_quoted(wanted.command));
        const run_session session{daemon,   params,    what, wanted.input || wanted.terminal.has_value(),
                                  terminal, call.limit};
        try {
            const run_end end = follow_run(session);
            if (call.global.json && !end.record.empty()) print_error(end.record + "\n");
            return static_cast<exit_code>(end.status);
        } catch (const ipc::not_executed&) {
            if (attempt == reconnects_max) throw;
        }
    }
}

exit_code run_run(invocation& call) {
    const run_request wanted = request_of(call);
    const std::string params = run_params(wanted);
    try {
        return wanted.detach ? detach(call, params) : follow(call, wanted, params);
    } catch (const failure& why) {
        const auto status = exit_in(why);
        if (!status) throw;
        print_failure(why, call.global.json);
        return static_cast<exit_code>(*status);
    }
}

constexpr option_row options[] = {
    {"detach,d", "", "print the number of the run and do not wait for it"},
    {"tty,t", "", "give it a terminal: a pseudo-terminal instead of pipes"},
};

constexpr method_row methods[] = {
    {.name = "task.run", .async_handler = answer_run},
    {.name = "run.input", .async_handler = answer_run_input, .while_draining = true},
    {.name = "run.cancel", .handler = answer_run_cancel, .while_draining = true},
    {.name = "run.detach", .handler = answer_run_detach, .while_draining = true},
    {.name = "run.resize", .handler = answer_run_resize, .while_draining = true},
};

}  // namespace

extern constinit const command run_command;
constinit const command run_command{
    .name = "run",
    .summary = "run a task, or any command, under the daemon",
    .usage = "[TASK] [-- ARGS...]",
    .description =
        "Runs a task, with ARGS appended to its command, or, without TASK, ARGS as a\n"
        "command in this directory; either with the environment of this shell. What it\n"
        "writes comes out here, and hob exits with its status: 128+N after signal N.\n"
        "Ctrl-C cancels it, a second one kills it. Failures of hob's own exit with 125.",
    .need = daemon_need::acting,
    .units = unit_use::named,
    .completes = operand_kind::task,
    .operands_max = 1,
    .options = options,
    .run = run_run,
    .methods = methods,
    .passes_status = true,
    .takes_command = true,
};

}  // namespace hob::cmd
