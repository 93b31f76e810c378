#include <algorithm>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/config/run_command.hpp"
#include "unit/task/task.hpp"
#include "util/shell_quote.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

unit_spec command_spec() {
    unit_spec spec;
    spec.name = command_name;
    spec.kind = unit_kind::task;
    spec.kill = kill_scope::group;
    spec.cwd = "/";
    task_spec detail;
    detail.overlap = overlap_policy::queue;
    spec.keep.runs = limits::command_runs_kept;
    spec.detail = detail;
    return spec;
}

}  // namespace

command_runner::command_runner(std::shared_ptr<unit_context> context)
    : managed_unit(std::move(context), command_spec(), unit_state::idle),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files, context_->options.executor) {}

std::shared_ptr<command_runner> command_runner::make(std::shared_ptr<unit_context> context) {
    return std::shared_ptr<command_runner>(new command_runner(std::move(context)));
}

void command_runner::share_environment(const variable_list& shared) {
    unit_spec spec = *spec_;
    spec.shared_env = shared;
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
}

std::shared_ptr<active_run> command_runner::submit(std::vector<std::string> command,
                                                   run_parameters parameters) {
    if (context_->closing) {
        throw failure(error_kind::cancelled, cannot("run", command.front()), "the daemon is shutting down");
    }
    parameters.cause = util::shell_quoted(command);
    auto spec = spec_of(std::move(command), parameters.cause);
    auto run = active_run::make(context_, std::move(spec), log_, std::move(parameters));
    take_up(run);
    return run;
}

std::shared_ptr<const unit_spec> command_runner::spec_of(std::vector<std::string> command,
                                                         std::string text) const {
    unit_spec spec = *spec_;
    spec.run = {std::move(command), std::move(text)};
    return std::make_shared<const unit_spec>(std::move(spec));
}

void command_runner::take_up(std::shared_ptr<active_run> run) {
    runs_.push_back(run);
    util::spawn(context_->options.executor, execute(std::move(run)), "command");
}

void command_runner::adopt_run(const run_order& order, lifecycle::held_entry held) {
    take_up(active_run::adopt(context_, spec_of(order.command, order.cause), log_, order, std::move(held)));
}

asio::awaitable<void> command_runner::execute(std::shared_ptr<active_run> run) {
    const auto alive = shared_from_this();
    co_await run->execute();
    run->forget();
    std::erase(runs_, run);
    changes().ring();
    if (context_->options.changed) context_->options.changed();
}

asio::awaitable<void> command_runner::start(std::optional<environment>) { co_return; }

asio::awaitable<void> command_runner::stop(bool) {
    const auto alive = shared_from_this();
    request_stop("asked to stop");
    while (!runs_.empty()) {
        co_await changes().wait();
    }
}

asio::awaitable<void> command_runner::restart(std::optional<environment>) { co_return; }

void command_runner::request_stop(const char* why) {
    const auto all = runs_;
    for (const auto& run : all)
        run->cancel(why);
}

void command_runner::kill_now() {
    const auto all = runs_;
    for (const auto& run : all)
        run->kill_now();
}

}  // namespace hob::unit
