// `ready = { exec = "pg_isready" }`: ready when the command exits with 0.

#include <fmt/format.h>

#include "error.hpp"
#include "unit/process/hook_command.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {
namespace {

boost::asio::awaitable<bool> probe(const readiness_target& target) {
    const run_spec& command = *target.ready().exec;
    try {
        const exit_state exit =
            co_await run_hook_command(hook_options(*target.spec, command, target.environment));
        if (!exit.signalled && exit.number == 0) co_return true;
        target.not_yet.why = fmt::format("'{}' {}", command.text, exit_text(exit));
    } catch (const failure& problem) {
        target.not_yet.why = fmt::format("'{}': {}", command.text, problem.reason());
    }
    co_return false;
}

std::string text(const ready_spec& ready) { return fmt::format("exec = '{}'", ready.exec->text); }

}  // namespace

extern constinit const readiness_kind ready_exec{
    .form = ready_form::exec,
    .text = text,
    .probe = probe,
};

}  // namespace hob::unit
