#include <string>

#include "cmd/attach/client.hpp"
#include "cmd/attach/methods.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "ipc/client.hpp"

namespace hob::cmd {
namespace {

constexpr int reconnects_max = 8;  // consecutive daemons that end before they read the request

exit_code run_attach(invocation& call) {
    for (int attempt = 1;; ++attempt) {
        ipc::client daemon = lifecycle::connect_acting(call.where(), connect_options_of(call));
        try {
            return static_cast<exit_code>(follow_attachment(daemon, call.operands.front(), call.limit));
        } catch (const ipc::not_executed&) {
            if (attempt == reconnects_max) throw;
        }
    }
}

constexpr method_row methods[] = {
    {.name = "worker.attach", .async_handler = answer_attach},
    {.name = "worker.input", .async_handler = answer_attach_input},
};

}  // namespace

extern constinit const command attach_command;
constinit const command attach_command{
    .name = "attach",
    .summary = "connect an editor to a worker that others use, too",
    .usage = "UNIT",
    .description =
        "Speaks the worker's own protocol on standard input and output, as the worker's\n"
        "program would, but shares the one process that all others use: editors name\n"
        "`hob attach UNIT` as their language server. Ids, unsaved documents, progress and\n"
        "diagnostics of each editor are kept apart. Of the protocols lsp and jsonrpc.",
    .need = daemon_need::acting,
    .units = unit_use::all,
    .completes = operand_kind::worker,
    .operands_min = 1,
    .operands_max = 1,
    .run = run_attach,
    .methods = methods,
    .notes_config = true,
    .reads_input = true,
};

}  // namespace hob::cmd
