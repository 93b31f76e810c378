#include <string>

#include "cmd/core/bad_ends.hpp"
#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/request.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

exit_code run_stop(invocation& call) {
    require_known_instance(call);
    util::json_array names;
    for (const auto& name : call.operands)
        names.add(name);
    util::json_object members;
    members.add("units", names);
    add_directory(members, call);
    const std::string params = std::move(members).text();
    // No limit of its own: the stop timeouts of the units end in SIGKILL.
    const lifecycle::request wanted{
        .method = "unit.stop", .params = params, .again = params, .reply_limit = call.limit};
    const auto result =
        lifecycle::request_looking(call.where(), call.limit_or(limits::request_timeout), wanted);
    if (!result) {
        const std::string object = call.operands.empty() ? "every service" : call.operands.front();
        throw failure(error_kind::no_daemon, cannot("stop", object), "no daemon is running");
    }
    if (call.global.json) {
        print(*result + "\n");
    } else if (!call.global.quiet) {
        for (const auto& unit : read_units(*result)) {
            print(unit_line(unit));
            if (!unit.detail.empty()) print_error(bad_end_line(unit));
        }
    }
    return exit_code::done;
}

// Every service, and those that run though they are left alone unless they are named.
std::vector<std::string> services_to_stop(handler_context context) {
    std::vector<std::string> names;
    for (const auto& spec : context.units.config().units) {
        if (spec.kind != unit::unit_kind::service) continue;
        const auto status = context.units.registry().status(spec.name);
        if (spec.enabled || (status && status->state != ipc::unit_state::stopped)) names.push_back(spec.name);
    }
    if (!names.empty()) return names;
    return all_service_names(context, "stop", "hob shutdown ends the daemon and all that it runs");
}

boost::asio::awaitable<std::string> answer_stop(handler_context context, std::shared_ptr<ipc::session> by,
                                                ipc::request request) {
    unit_request parsed = parse_unit_request(request.params);
    if (parsed.units.empty()) {
        parsed.units = services_to_stop(context);
    } else {
        parsed.units = context.units.names_for("stop", parsed.units, by->peer_pid(), parsed.directory);
    }
    // Who stops what it started does not have to know what was removed since.
    if (!parsed.hold) {
        std::erase_if(parsed.units, [&](const std::string& name) {
            return !context.units.registry().status(name).has_value();
        });
    }
    if (parsed.now) context.units.registry().kill_units(parsed.units);
    co_await context.units.registry().stop_units(parsed.units, parsed.hold);
    co_return unit_reply(context, parsed.units);
}

constexpr method_row methods[] = {{.name = "unit.stop", .async_handler = answer_stop}};

}  // namespace

extern constinit const command stop_command{
    .name = "stop",
    .summary = "stop units",
    .usage = "[UNIT...]",
    .description =
        "Stops these units and returns once nothing of them is left: stop signal, stop\n"
        "timeout, SIGKILL. They stay stopped until `hob start`. A name may be a\n"
        "group, @GROUP, or a pattern of services, such as 'web-*'. Without names: every\n"
        "service.",
    .need = daemon_need::looking,
    .units = unit_use::all,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .run = run_stop,
    .methods = methods,
    .notes_config = true,
};

}  // namespace hob::cmd
