#include <boost/json.hpp>

#include <fmt/format.h>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/project.hpp"
#include "cmd/core/status_view.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "lifecycle/connect.hpp"
#include "limits.hpp"
#include "unit/application/application.hpp"

namespace hob::cmd {
namespace {

exit_code run_stop(invocation& call) {
    require_known_instance(call);
    const std::string object = call.operands.empty() ? "every service" : call.operands.front();
    const failure none(error_kind::no_daemon, "cannot stop '" + object + "': no daemon is running");
    auto connection = lifecycle::connect_looking(call.where(), call.limit_or(limits::request_timeout));
    if (!connection) throw none;
    boost::json::array names;
    for (const auto& name : call.operands)
        names.emplace_back(name);
    const boost::json::object params{{"units", std::move(names)}};
    std::string result;
    try {
        // The units' own stop timeouts hold, and they end in SIGKILL.
        result = connection->call("unit.stop", boost::json::serialize(params), call.limit);
    } catch (const ipc::not_executed&) {
        throw none;
    }
    if (call.global.json) {
        print(result + "\n");
    } else if (!call.global.quiet) {
        for (const auto& unit : read_units(result))
            print(unit_line(unit));
    }
    return exit_code::done;
}

boost::asio::awaitable<std::string> answer_stop(handler_context context, std::shared_ptr<ipc::session>,
                                                ipc::request asked) {
    unit_request wanted = parse_unit_request(asked.params);
    if (wanted.units.empty())
        wanted.units =
            every_service(context.units, "stop", "hob shutdown ends the daemon and all that it runs");
    co_await context.units.registry().stop_units(wanted.units);
    co_return unit_reply(context.units, wanted.units);
}

constexpr method_row methods[] = {{.name = "unit.stop", .async_handler = answer_stop, .consents = false}};

}  // namespace

extern constinit const command stop_command{
    .name = "stop",
    .summary = "stop units",
    .usage = "[UNIT...]",
    .description =
        "Stops these units and returns once nothing of them is left: stop signal, stop\n"
        "timeout, SIGKILL. They stay stopped until `hob start`. Without names: every\n"
        "service.",
    .need = daemon_need::looking,
    .units = unit_use::all,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .run = run_stop,
    .methods = methods,
};

}  // namespace hob::cmd
