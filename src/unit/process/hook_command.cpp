#include "unit/process/hook_command.hpp"

#include <signal.h>

#include <boost/asio/this_coro.hpp>

namespace hob::unit {

namespace asio = boost::asio;

child_options hook_options(const unit_spec& spec, const run_spec& run, std::vector<std::string> environment) {
    child_options options;
    options.unit = spec.name;
    options.argv = run.argv;
    options.environment = std::move(environment);
    options.cwd = spec.cwd;
    return options;
}

asio::awaitable<exit_state> run_hook_command(child_options options) {
    child process(co_await asio::this_coro::executor, options);
    co_await process.launched();
    const auto exit = co_await process.exited();
    process.signal_group(SIGKILL);
    process.reap();
    co_return exit.value_or(exit_state{});
}

}  // namespace hob::unit
