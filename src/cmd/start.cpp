#include "cmd/command.hpp"
#include "cmd/output.hpp"
#include "cmd/unit_request.hpp"
#include "error.hpp"
#include "lifecycle/daemon.hpp"
#include "unit/registry.hpp"

namespace hob::cmd {
namespace {

exit_code run_start(invocation& call) { return ask_units(call, "unit.start", caller_environment::send); }

// Without names: every service.
std::vector<std::string> services_of(const lifecycle::daemon& daemon) {
    std::vector<std::string> names;
    for (const auto& spec : daemon.config().units) {
        if (spec.kind == unit::unit_kind::service) names.push_back(spec.name);
    }
    if (names.empty()) {
        throw failure(error_kind::unit_failed, "cannot start 'every service': hob.toml has no service",
                      "workers start by themselves when they are called");
    }
    return names;
}

boost::asio::awaitable<std::string> answer_start(lifecycle::daemon& daemon, std::shared_ptr<ipc::session>,
                                                 ipc::request asked) {
    unit_request wanted = parse_unit_request(asked.params);
    if (wanted.units.empty()) wanted.units = services_of(daemon);
    for (const auto& unit : wanted.units) {
        auto starting = daemon.registry().start(unit, wanted.environment);
        co_await std::move(starting);
    }
    co_return unit_reply(daemon, wanted.units);
}

constexpr method_row methods[] = {{.name = "unit.start", .later = answer_start}};

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
    .completes = operand_kind::unit,
    .operands_max = -1,
    .run = run_start,
    .methods = methods,
};

}  // namespace hob::cmd
