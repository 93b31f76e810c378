#include <fmt/format.h>

#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "lifecycle/end_daemon.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"

namespace hob::cmd {
namespace {

exit_code restart_daemon(invocation& call) {
    if (call.global.no_spawn) {
        throw failure(error_kind::usage, "cannot restart the daemon with --no-spawn", "hob shutdown ends it");
    }
    lifecycle::end_options ending;
    ending.restart = true;
    ending.limit = call.limit_or(limits::shutdown_timeout_max + limits::reap_timeout);
    const auto old = lifecycle::end_daemon(call.where(), ending);
    const ipc::client connection = lifecycle::connect_acting(call.where(), connect_options_of(call));
    const pid_t pid = connection.greeting().pid;
    if (call.global.json) {
        print(fmt::format("{{\"pid\":{},\"old_pid\":{}}}\n", pid, old ? std::to_string(*old) : "null"));
    } else if (!call.global.quiet) {
        print(
            fmt::format("the daemon is running (pid {}{})\n", pid, old ? fmt::format(", was {}", *old) : ""));
    }
    return exit_code::done;
}

exit_code run_restart(invocation& call) {
    if (call.operands.empty()) return restart_daemon(call);
    return ask_units(call, "restart", "unit.restart");
}

boost::asio::awaitable<std::string> answer_restart(handler_context context, std::shared_ptr<ipc::session>,
                                                   ipc::request asked) {
    unit_request wanted = parse_unit_request(asked.params);
    co_await context.units.registry().restart_units(wanted.units, std::move(wanted.environment));
    co_return unit_reply(context.units, wanted.units);
}

constexpr method_row methods[] = {{.name = "unit.restart", .async_handler = answer_restart}};

}  // namespace

extern constinit const command restart_command{
    .name = "restart",
    .summary = "restart units, or the daemon itself",
    .usage = "[UNIT...]",
    .description =
        "With names: stops these units and starts them again, with the environment of\n"
        "this shell. Without: ends the daemon and starts a new one.",
    .need = daemon_need::acting,
    .units = unit_use::named,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .run = run_restart,
    .methods = methods,
};

}  // namespace hob::cmd
