#include <fmt/format.h>

#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/end_daemon.hpp"
#include "limits.hpp"
#include "util/json_writer.hpp"

namespace hob::cmd {
namespace {

exit_code restart_daemon(invocation& call) {
    if (call.global.no_spawn) {
        throw failure(error_kind::usage, cannot("restart", {}, "the daemon"), "--no-spawn does not start one",
                      "hob shutdown ends it");
    }
    lifecycle::end_options ending;
    ending.restart = true;
    ending.limit = call.limit_or(limits::shutdown_timeout_max + limits::reap_timeout);
    const auto old = lifecycle::end_daemon(call.where(), ending);
    const ipc::client connection = lifecycle::connect_acting(call.where(), connect_options_of(call));
    const pid_t pid = connection.greeting().pid;
    if (call.global.json) {
        print(util::json_object().add("pid", pid).add("old_pid", old).text() + "\n");
    } else if (!call.global.quiet) {
        print(
            fmt::format("the daemon is running (pid {}{})\n", pid, old ? fmt::format(", was {}", *old) : ""));
    }
    return exit_code::done;
}

exit_code run_restart(invocation& call) {
    if (call.operands.empty()) return restart_daemon(call);
    return request_units(call, "unit.restart");
}

boost::asio::awaitable<std::string> answer_restart(lifecycle::daemon& daemon, std::shared_ptr<ipc::session>,
                                                   ipc::request request) {
    unit_request parsed = parse_unit_request(request.params);
    co_await daemon.apply_changed_file();
    co_await daemon.registry().restart_units(parsed.units, std::move(parsed.environment));
    co_return unit_reply(daemon, parsed.units);
}

constexpr method_row methods[] = {{.name = "unit.restart", .later = answer_restart}};

}  // namespace

extern constinit const command restart_command{
    .name = "restart",
    .summary = "restart units, or the daemon itself",
    .usage = "[UNIT...]",
    .description =
        "With names: stops these units and starts them again, with the environment of\n"
        "this shell. Without: ends the daemon and starts a new one.",
    .need = daemon_need::acting,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .run = run_restart,
    .methods = methods,
};

}  // namespace hob::cmd
