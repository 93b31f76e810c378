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
#include "identity.hpp"
#include "ipc/hello.hpp"
#include "ipc/session.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/end_daemon.hpp"
#include "lifecycle/inherited.hpp"
#include "lifecycle/request.hpp"
#include "lifecycle/successor.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/json/json_fields.hpp"
#include "util/json/json_writer.hpp"
#include "util/proc.hpp"

namespace hob::cmd {
namespace {

// The next process of a service gets the environment of this command, as workers and tasks of the new daemon
// do.
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

void print_running(const invocation& call, const std::string& version, pid_t pid, std::optional<pid_t> old) {
    if (call.global.json) {
        print(util::json_object().add("pid", pid).add("old_pid", old).add("version", version).text() + "\n");
    } else if (!call.global.quiet) {
        const std::string before = old && *old != pid ? fmt::format(", was {}", *old) : "";
        print(fmt::format("the daemon is running, version {} (pid {}{})\n", version, pid, before));
    }
}

// What goes on in the daemon's process after the request. The program that goes reads no more of them: the
// one that comes answers. Where they speak different protocols, it has closed the connection.
ipc::ping_reply reply_of_successor(invocation& call, ipc::client& daemon) {
    try {
        const auto limit = call.limit_or(limits::shutdown_timeout_max);
        if (auto reply = ipc::parse_ping_result(daemon.call(this_program.methods.ping, "{}", limit)))
            return *reply;
    } catch (const ipc::not_executed&) {
    } catch (const failure& why) {
        if (why.kind() != error_kind::daemon_lost && why.kind() != error_kind::no_daemon) throw;
    }
    const ipc::client connection = lifecycle::connect_acting(call.where(), connect_options_of(call));
    ipc::ping_reply reply;
    reply.pid = connection.greeting().pid;
    reply.version = connection.greeting().version;
    return reply;
}

// nullopt: there is none that serves. Who ends it says why.
std::optional<ipc::client> serving_daemon(invocation& call) {
    try {
        auto daemon = lifecycle::connect_looking(call.where(), call.limit_or(limits::glance_timeout));
        if (daemon && !daemon->greeting().draining) return daemon;
    } catch (const failure&) {
    }
    return std::nullopt;
}

// This program goes on in the daemon's process, and all that it runs with it. False: there is no daemon that
// can do that.
bool hand_over(invocation& call) {
    const std::string program = lifecycle::own_program_path();
    auto daemon = serving_daemon(call);
    if (!daemon || program.empty()) return false;
    // These stay with a process for good: it takes a new one to be free of them.
    if (!lifecycle::namespaces_apart(daemon->greeting().pid).empty()) return false;
    util::json_array kept;
    for (const auto& list : {lifecycle::inherited_for_good(), lifecycle::inherited_still()}) {
        for (const auto& setting : list)
            kept.add(setting);
    }
    util::json_object params;
    params.add("program", program).add("kept", kept);
    add_own_environment(params);
    try {
        daemon->call("daemon.handover", params.text(), call.limit_or(limits::request_timeout));
    } catch (const ipc::not_executed&) {
        return false;
    } catch (const failure& why) {
        // It has no keeper, or is of a version that cannot.
        if (why.kind() == error_kind::no_daemon || why.kind() == error_kind::usage) return false;
        throw;
    }
    const pid_t pid = daemon->greeting().pid;
    const ipc::ping_reply reply = reply_of_successor(call, *daemon);
    if (reply.pid != pid)
        throw failure(
            error_kind::start_failed, cannot("hand the daemon over to", program),
            fmt::format("it did not become ready; version {} goes on (pid {})", reply.version, reply.pid),
            "the log is " + call.where().daemon_log_path());
    print_running(call, reply.version, reply.pid, pid);
    return true;
}

// A daemon that ends meanwhile, or hands over for another client first, is followed by one that can be asked.
bool hand_over_if_possible(invocation& call) {
    const lifecycle::instance where = call.where();
    lifecycle::lost_daemons lost(where);
    for (;;) {
        try {
            return hand_over(call);
        } catch (const failure& why) {
            if (why.kind() != error_kind::daemon_lost) throw;
        }
        lost.add();
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
    if (hand_over_if_possible(call)) return exit_code::done;
    lifecycle::end_options ending;
    ending.restart = true;
    ending.limit = call.limit_or(limits::shutdown_timeout_max + limits::reap_timeout);
    const lifecycle::ended_daemon ended = lifecycle::end_daemon(call.where(), ending);
    tell_bad_ends(ended.units_json, call.global);
    const ipc::client connection = lifecycle::connect_acting(call.where(), connect_options_of(call));
    print_running(call, connection.greeting().version, connection.greeting().pid, ended.pid);
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

struct handover_params {
    std::string program{};            // a path
    std::vector<std::string> kept{};  // settings that the client has inherited for good
};

template <util::json_fields::is<handover_params> Params, typename Field>
void each_field(Params& params, const Field& field) {
    field("program", params.program);
    field("kept", params.kept);
}

std::string answer_environment(handler_context context, ipc::session&, const ipc::request& request) {
    if (const auto environment = parse_environment(request.params))
        context.units.registry().replace_kept_environments(*environment);
    return "{}";
}

// Executes the program in the daemon's process.
boost::asio::awaitable<std::string> answer_handover(handler_context context, std::shared_ptr<ipc::session> by,
                                                    ipc::request request) {
    auto params = util::json_fields::parse<handover_params>(request.params);
    if (!params || !params->program.starts_with('/'))
        throw failure(error_kind::usage, cannot("read", "params"), "'program' is no path");
    lifecycle::successor next;
    next.program = std::move(params->program);
    next.environment = parse_environment(request.params).value_or(std::vector<std::string>());
    const auto facts =
        co_await context.daemon.hand_over(std::move(next), std::move(params->kept), std::move(by));
    co_return util::json_object().add("pid", context.daemon.pid()).add("version", facts.version).text();
}

constexpr option_row options[] = {
    {"daemon", "", "execute this program in the daemon's process; units go on"}};

constexpr method_row methods[] = {{.name = "unit.restart", .async_handler = answer_restart},
                                  {.name = "unit.environment", .handler = answer_environment},
                                  {.name = "daemon.handover", .async_handler = answer_handover}};

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
