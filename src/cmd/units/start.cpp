#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "ipc/session.hpp"
#include "lifecycle/daemon.hpp"
#include "unit/application/application.hpp"

namespace hob::cmd {
namespace {

exit_code run_start(invocation& call) { return request_units(call, "start", "unit.start"); }

boost::asio::awaitable<std::string> answer_start(handler_context context, std::shared_ptr<ipc::session> by,
                                                 ipc::request request) {
    unit_request parsed = parse_unit_request(request.params);
    co_await context.daemon.apply_changed_file();
    if (!parsed.units.empty()) {
        parsed.units = context.units.names_for("start", parsed.units, by->peer_pid(), parsed.directory);
        context.units.refuse_deadlock("start", parsed.units, by->peer_pid());
        context.units.consent(parsed.units, by->peer_pid());
        co_await context.units.registry().start_units(parsed.units, std::move(parsed.environment));
        co_return unit_reply(context, parsed.units);
    }
    const auto by_themselves = context.units.consent(all_unit_names(context), by->peer_pid());
    parsed.units = services_or_triggered(context, "start");
    context.units.refuse_deadlock("start", parsed.units, by->peer_pid());
    co_await context.units.registry().start_units(parsed.units, std::move(parsed.environment));
    co_return unit_reply(context, parsed.units, by_themselves);
}

constexpr method_row methods[] = {{.name = "unit.start", .async_handler = answer_start}};

}  // namespace

extern constinit const command start_command{
    .name = "start",
    .summary = "start units",
    .usage = "[UNIT...]",
    .description =
        "Starts these units, with the environment of this shell, and returns once they\n"
        "are ready; a unit that `hob stop` holds is released. A name may be a group,\n"
        "@GROUP, or a pattern of services, such as 'web-*'. Without names: every service.",
    .need = daemon_need::acting,
    .units = unit_use::all,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .run = run_start,
    .methods = methods,
};

}  // namespace hob::cmd
