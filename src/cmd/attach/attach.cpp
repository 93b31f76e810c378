#include <chrono>
#include <optional>
#include <string>

#include "cmd/attach/client.hpp"
#include "cmd/attach/methods.hpp"
#include "cmd/attach/terminal_methods.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "error.hpp"
#include "ipc/client.hpp"
#include "lifecycle/request.hpp"
#include "util/duration.hpp"

namespace hob::cmd {
namespace {

std::optional<std::chrono::milliseconds> linger_of(const invocation& call) {
    const auto text = call.value("linger");
    if (!text) return std::nullopt;
    if (const auto duration = util::parse_duration(*text)) return duration;
    throw failure(error_kind::usage, cannot("use", *text, "for '--linger'"), "not a duration",
                  "as in 500ms, 5s or 0");
}

exit_code run_attach(invocation& call) {
    const attach_options options{call.operands.front(), call.global.quiet, linger_of(call)};
    int status = 0;
    const lifecycle::talk_function talk = [&](ipc::client& daemon, bool) {
        status = follow_attachment(daemon, options, call.limit);
    };
    lifecycle::talk_acting(call.where(), connect_options_of(call), "unit.attach", false, talk);
    return static_cast<exit_code>(status);
}

constexpr option_row option_rows[] = {
    {"linger", "DURATION", "show output for so long after the end of input from a pipe or a file"},
};

constexpr method_row methods[] = {
    {.name = "unit.attach", .async_handler = answer_unit_attach},
    {.name = "service.input", .async_handler = answer_service_input},
    {.name = "service.resize", .handler = answer_service_resize},
    {.name = "worker.attach", .async_handler = answer_attach},
    {.name = "worker.input", .async_handler = answer_attach_input},
};

}  // namespace

extern constinit const command attach_command;
constinit const command attach_command{
    .name = "attach",
    .summary = "use the terminal of a service, or share a worker",
    .usage = "UNIT",
    .description =
        "A service with tty = true: shows its terminal here, and sends it every key.\n"
        "Ctrl-] leaves it. A service with stdin = \"open\": shows its output, and sends it\n"
        "what is typed, line by line. Ctrl-] or Ctrl-C leaves it. Input may be piped in.\n"
        "A worker (lsp, jsonrpc): speaks the worker's own protocol on standard input and\n"
        "output, but shares the one process that all others use: editors name\n"
        "`hob attach UNIT` as their language server.",
    .need = daemon_need::acting,
    .units = unit_use::all,
    .completes = operand_kind::attachable,
    .operands_min = 1,
    .operands_max = 1,
    .options = option_rows,
    .run = run_attach,
    .methods = methods,
    .notes_config = true,
    .reads_input = true,
};

}  // namespace hob::cmd
