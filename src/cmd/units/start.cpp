#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "cmd/units/request.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "unit/application/application.hpp"

namespace hob::cmd {
namespace {

exit_code run_start(invocation& call) { return request_units(call, "start", "unit.start"); }

boost::asio::awaitable<std::string> answer_start(handler_context context, std::shared_ptr<ipc::session>,
                                                 ipc::request request) {
    unit_request parsed = parse_unit_request(request.params);
    co_await context.daemon.apply_changed_file();
    if (parsed.units.empty())
        parsed.units =
            all_service_names(context, "start", "workers start by themselves when they are called");
    co_await context.units.registry().start_units(parsed.units, std::move(parsed.environment));
    co_return unit_reply(context, parsed.units);
}

constexpr method_row methods[] = {{.name = "unit.start", .async_handler = answer_start}};

}  // namespace

extern constinit const command start_command{
    .name = "start",
    .summary = "start units",
    .usage = "[UNIT...]",
    .description =
        "Starts these units, with the environment of this shell, and returns once they\n"
        "are ready; a unit that `hob stop` holds is released. Without names: every\n"
        "service.",
    .need = daemon_need::acting,
    .units = unit_use::all,
    .completes = operand_kind::unit,
    .operands_max = -1,
    .run = run_start,
    .methods = methods,
};

}  // namespace hob::cmd
