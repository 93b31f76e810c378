#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/token.hpp"
#include "cmd/run/client.hpp"
#include "cmd/run/methods.hpp"
#include "cmd/streams/stream_messages.hpp"
#include "error.hpp"
#include "lifecycle/request.hpp"
#include "unit/config/run_command.hpp"
#include "util/json/json_text.hpp"
#include "util/shell_quote.hpp"

namespace hob::cmd {
namespace {

std::vector<std::string> own_environment() {
    std::vector<std::string> entries;
    for (char** entry = environ; entry && *entry; ++entry)
        entries.emplace_back(*entry);
    return entries;
}

std::string current_directory() {
    char* allocated = ::getcwd(nullptr, 0);
    if (!allocated) throw denied("find", "the current directory", errno);
    std::string path = allocated;
    ::free(allocated);  // NOLINT: allocated by getcwd
    return path;
}

// Everything but a terminal is handed over, so that the run reads only what it wants of it: a shell loop
// keeps its input.
bool has_input() {
    struct stat facts {};
    return ::fstat(STDIN_FILENO, &facts) == 0 && !S_ISDIR(facts.st_mode) && ::isatty(STDIN_FILENO) == 0;
}

unsigned own_umask() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return mask;
}

run_request request_of(invocation& call) {
    if (call.operands.empty() && call.command.empty()) {
        throw failure(error_kind::usage, cannot("run"), "neither a task nor a command is named",
                      "hob run TASK [-- ARGS...], or hob run -- CMD...");
    }
    run_request request;
    if (call.operands.empty()) {
        request.command = call.command;
        request.cwd = current_directory();
    } else {
        request.task = call.operands.front();
        request.arguments = call.command;
    }
    request.environment = own_environment();
    request.umask = own_umask();
    request.limits = util::own_resource_limits();
    request.detach = call.has("detach");
    request.token = new_token();
    if (!call.has("tty")) {
        request.input_descriptor = !request.detach && has_input();
        return request;
    }
    if (request.detach)
        throw failure(error_kind::usage, cannot("use", "--tty", "with '--detach'"),
                      "a detached run has no terminal here");
    winsize window{24, 80, 0, 0};
    ::ioctl(STDIN_FILENO, TIOCGWINSZ, &window);
    request.terminal = unit::terminal_size{window.ws_row, window.ws_col};
    if (const char* term = std::getenv("TERM")) request.terminal_type = term;
    return request;
}

// The exit status in the detail of a run that did not start: {"exit":N}.
std::optional<int> exit_in(const failure& why) {
    for (const auto& member :
         util::json_object_members(why.detail()).value_or(std::vector<util::json_member>())) {
        if (member.key != "exit") continue;
        if (const auto status = util::json_integer(member.value)) return static_cast<int>(*status);
    }
    return std::nullopt;
}

exit_code detach(invocation& call, const run_request& request, const std::string& params) {
    lifecycle::request wanted{.method = "task.run", .params = params, .reply_limit = call.limit};
    if (!request.token.empty()) wanted.again = params;
    const std::string result =
        lifecycle::request_acting(call.where(), connect_options_of(call), wanted);
    if (call.global.json) {
        print(result + "\n");
        return exit_code::done;
    }
    for (const auto& member : util::json_object_members(result).value_or(std::vector<util::json_member>())) {
        if (member.key == "run") print(std::string(member.value) + "\n");
    }
    return exit_code::done;
}

exit_code follow(invocation& call, const run_request& request, const std::string& params) {
    const bool terminal = request.terminal && ::isatty(STDIN_FILENO) == 1;
    run_result result;
    const lifecycle::talk_function talk = [&](ipc::client& daemon, bool) {
        const run_session session{.where = call.where(),
                                  .daemon = daemon,
                                  .params = params,
                                  .what = request.task.value_or(util::shell_quoted(request.command)),
                                  .input = request.terminal.has_value(),
                                  .hand_over_input = request.input_descriptor,
                                  .terminal = terminal,
                                  .limit = call.limit};
        result = follow_run(session);
    };
    lifecycle::talk_acting(call.where(), connect_options_of(call), "task.run", false, talk);
    if (call.global.json && !result.record.empty()) print_error(result.record + "\n");
    return static_cast<exit_code>(result.status);
}

exit_code run_run(invocation& call) {
    const run_request request = request_of(call);
    const std::string params = run_params(request);
    try {
        return request.detach ? detach(call, request, params) : follow(call, request, params);
    } catch (const failure& why) {
        const auto status = exit_in(why);
        if (!status && why.kind() != error_kind::config) throw;
        print_failure(why, call.global.json);
        return status ? static_cast<exit_code>(*status) : exit_code::usage;
    }
}

constexpr option_row options[] = {
    {"detach,d", "", "print the number of the run and do not wait for it"},
    {"tty,t", "", "give it a terminal: a pseudo-terminal instead of pipes"},
};

constexpr method_row methods[] = {
    {.name = "task.run", .async_handler = answer_run},
    {.name = "run.follow", .async_handler = answer_run_follow, .while_draining = true},
    {.name = "run.input", .async_handler = answer_run_input, .while_draining = true},
    {.name = "run.cancel", .handler = answer_run_cancel, .while_draining = true},
    {.name = "run.detach", .handler = answer_run_detach, .while_draining = true},
    {.name = "run.resize", .handler = answer_run_resize, .while_draining = true},
    {.name = "run.wait", .async_handler = answer_run_wait, .while_draining = true},
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
    .notes_config = true,
    .reads_input = true,
};

}  // namespace hob::cmd
