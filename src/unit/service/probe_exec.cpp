// Readiness by a command that exits with 0.

#include <fmt/format.h>

#include "error.hpp"
#include "unit/process/hook_command.hpp"
#include "unit/service/readiness.hpp"

namespace hob::unit {

boost::asio::awaitable<bool> probe_exec(const ready_spec& wanted, const probe_target& target) {
    try {
        const exit_state exit =
            co_await run_hook_command(hook_options(*target.spec, *wanted.exec, target.environment));
        if (!exit.signalled && exit.number == 0) co_return true;
        target.why = fmt::format("'{}' {}", wanted.exec->text, exit_text(exit));
    } catch (const failure& problem) {
        target.why = fmt::format("'{}': {}", wanted.exec->text, problem.what());
    }
    co_return false;
}

}  // namespace hob::unit
