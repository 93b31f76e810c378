#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "cmd/core/bad_ends.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/connection.hpp"
#include "cmd/core/output.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/end_daemon.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/json/json_writer.hpp"
#include "util/proc.hpp"

namespace hob::cmd {
namespace {

// Services that come back get the environment of this command, as workers and tasks of the new daemon do.
void hand_over_environment(invocation& call) {
    try {
        auto daemon = lifecycle::connect_looking(call.where(), call.limit_or(limits::glance_timeout));
        if (!daemon) return;
        util::json_object params;
        add_own_environment(params);
        daemon->call("unit.environment", params.text(), call.limit_or(limits::request_timeout));
    } catch (const failure&) {
        // A daemon that does not answer, or does not know the method, is restarted all the same.
    } catch (const ipc::not_executed&) {
    }
}

exit_code restart_daemon(invocation& call) {
    if (!call.operands.empty()) {
        throw failure(error_kind::usage, cannot("use", "--daemon", "with a unit"),
                      "it restarts the daemon alone", "hob restart UNIT... restarts units");
    }
    if (call.global.no_spawn) {
        throw failure(error_kind::usage, cannot("restart", {}, "the daemon"), "--no-spawn does not start one",
                      "hob shutdown ends it");
    }
    hand_over_environment(call);
    lifecycle::end_options ending;
    ending.restart = true;
    ending.limit = call.limit_or(limits::shutdown_timeout_max + limits::reap_timeout);
    const lifecycle::ended_daemon ended = lifecycle::end_daemon(call.where(), ending);
    const auto old = ended.pid;
    tell_bad_ends(ended.units_json, call.global);
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
    if (call.has("daemon")) return restart_daemon(call);
    return request_units(call, "restart", "unit.restart");
}

// A daemon before this one has restarted it for the same request, and has died then.
bool began_since(handler_context context, const std::string& name, std::int64_t asked_at) {
    const auto status = context.units.registry().status(name);
    if (!status || status->kind != unit::unit_kind::service || status->pid <= 0) return false;
    const auto process = util::read_proc_stat(static_cast<pid_t>(status->pid));
    const auto ticks_in_second = static_cast<std::int64_t>(::sysconf(_SC_CLK_TCK));
    return process && static_cast<std::int64_t>(process->start_time) >= asked_at * ticks_in_second / 1000;
}

boost::asio::awaitable<std::string> answer_restart(handler_context context, std::shared_ptr<ipc::session> by,
                                                   ipc::request request) {
    unit_request parsed = parse_unit_request(request.params);
    co_await context.daemon.apply_changed_file();
    if (parsed.units.empty()) {
        all_service_names(context, "restart", "hob restart --daemon restarts the daemon");
        parsed.units = context.units.registry().services_to_restart();
        if (parsed.units.empty()) co_return util::json_object().add("units", util::json_array()).text();
    } else {
        parsed.units = context.units.names_for("restart", parsed.units, by->peer_pid(), parsed.directory);
    }
    context.units.refuse_deadlock("restart", parsed.units, by->peer_pid());
    context.units.consent(parsed.units, by->peer_pid());
    std::vector<std::string> old = parsed.units, restarted;
    if (parsed.asked_at) {
        const auto middle = std::stable_partition(old.begin(), old.end(), [&](const std::string& name) {
            return !began_since(context, name, *parsed.asked_at);
        });
        restarted.assign(middle, old.end());
        old.erase(middle, old.end());
    }
    co_await context.units.registry().restart_units(std::move(old), parsed.environment);
    if (!restarted.empty())
        co_await context.units.registry().start_units(std::move(restarted), std::move(parsed.environment));
    co_return unit_reply(context, parsed.units);
}

std::string answer_environment(handler_context context, ipc::session&, const ipc::request& request) {
    if (const auto environment = parse_environment(request.params))
        context.units.registry().replace_kept_environments(*environment);
    return "{}";
}

constexpr option_row options[] = {{"daemon", "", "restart the daemon; services that are up come back"}};

constexpr method_row methods[] = {{.name = "unit.restart", .async_handler = answer_restart},
                                  {.name = "unit.environment", .handler = answer_environment}};

}  // namespace

extern constinit const command restart_command{
    .name = "restart",
    .summary = "restart units, or the daemon itself",
    .usage = "[UNIT...]",
    .description =
        "Stops these units and starts them again, with the environment of this shell,\n"
        "and returns once they are ready. A name may be a group, @GROUP, or a pattern of\n"
        "services, such as 'web-*'. Without names: every service that is up, has\n"
        "failed or is about to be restarted. --daemon restarts the daemon instead.",
    .need = daemon_need::acting,
    .units = unit_use::named,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .options = options,
    .run = run_restart,
    .methods = methods,
};

}  // namespace hob::cmd
