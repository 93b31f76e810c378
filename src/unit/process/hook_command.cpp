// Readiness by a command that exits with 0, and the on_failure command: both run beside the unit, in a
// session of their own, with its environment.

#include <signal.h>

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/child.hpp"
#include "unit/process/on_failure.hpp"
#include "unit/service/readiness.hpp"
#include "util/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::field;

child_options options_for(const unit_spec& spec, const run_spec& run, std::vector<std::string> environment) {
    child_options options;
    options.unit = spec.name;
    options.argv = run.argv;
    options.environment = std::move(environment);
    options.cwd = spec.cwd;
    return options;
}

// The exit of a command and the end of its process group: what it forked does not outlive it.
asio::awaitable<exit_state> run_to_end(const child_options& options) {
    child process(co_await asio::this_coro::executor, options);
    auto ending = process.exited();
    const auto exit = co_await std::move(ending);
    process.signal_group(SIGKILL);
    process.reap();
    co_return exit.value_or(exit_state{});
}

asio::awaitable<void> run_hook(child_options options, std::string unit) {
    auto running = run_to_end(options);
    const auto exit = co_await util::within(limits::on_failure_timeout, std::move(running));
    if (exit && !exit->signalled && exit->number == 0) co_return;
    util::log(util::level::warning, "unit", "the on_failure command failed",
              {field("unit", unit), field("how", exit ? exit_text(*exit) : "took too long and was killed")});
}

}  // namespace

asio::awaitable<bool> probe_exec(const ready_spec& wanted, const probe_target& target) {
    const auto options = options_for(*target.spec, *wanted.exec, target.environment);
    try {
        auto running = run_to_end(options);
        const exit_state exit = co_await std::move(running);
        if (!exit.signalled && exit.number == 0) co_return true;
        target.why = fmt::format("'{}' {}", wanted.exec->text, exit_text(exit));
    } catch (const failure& problem) {
        target.why = fmt::format("'{}': {}", wanted.exec->text, problem.what());
    }
    co_return false;
}

void run_on_failure(const asio::any_io_executor& executor, const unit_spec& spec,
                    std::vector<std::string> environment, const std::string& reason,
                    const std::vector<std::string>& last_lines) {
    if (!spec.on_failure) return;
    std::string lines;
    for (const auto& line : last_lines)
        lines.append(line).push_back('\n');
    std::erase(lines, '\0');
    environment.push_back("HOB_REASON=" + reason);
    environment.push_back("HOB_LAST_LINES=" + lines);
    util::spawn(executor, run_hook(options_for(spec, *spec.on_failure, std::move(environment)), spec.name),
                "on_failure of " + spec.name);
}

}  // namespace hob::unit
