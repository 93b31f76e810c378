#include "unit/process/on_failure.hpp"

#include "limits.hpp"
#include "unit/process/hook_command.hpp"
#include "util/async.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::field;

asio::awaitable<void> run_hook(child_options options, std::string unit) {
    const auto exit = co_await util::within(limits::on_failure_timeout, run_hook_command(std::move(options)));
    if (exit && !exit->signalled && exit->number == 0) co_return;
    util::log(util::level::warning, "unit", "the on_failure command failed",
              {field("unit", unit), field("how", exit ? exit_text(*exit) : "took too long and was killed")});
}

}  // namespace

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
    util::spawn(executor, run_hook(hook_options(spec, *spec.on_failure, std::move(environment)), spec.name),
                "on_failure of " + spec.name);
}

}  // namespace hob::unit
