#include "unit/supervise/managed_unit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/environment.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;
using util::field;

void unit_context::note_token(const std::string& token, std::int64_t run) {
    if (token.empty()) return;
    run_tokens.emplace_back(token, run);
    if (run_tokens.size() > limits::run_tokens_max) run_tokens.pop_front();
}

std::vector<std::string> unit_context::environment_of(
    const unit_spec& spec, const std::optional<std::vector<std::string>>& caller) const {
    return unit_environment(caller ? *caller : options.base_environment, spec, options.instance_key,
                            ports ? ports->choose() : port_list());
}

managed_unit::managed_unit(std::shared_ptr<unit_context> context, unit_spec spec, unit_state state)
    : context_(std::move(context)),
      spec_(std::make_shared<const unit_spec>(std::move(spec))),
      state_(state),
      changes_(context_->options.executor) {}

unit_status managed_unit::status() const {
    unit_status status;
    status.name = spec_->name;
    status.kind = spec_->kind;
    status.state = state_;
    status.failing = failing();
    status.since = since_;
    status.detail = stop_report_.text();
    for (const auto& process : living_of(stop_report_.left))
        status.left.push_back(process.pid);
    return status;
}

void managed_unit::set_stop_report(stop_report report) {
    for (const auto& process : stop_report_.left) {
        const bool known = std::any_of(report.left.begin(), report.left.end(),
                                       [&](const member& other) { return other.pid == process.pid; });
        if (!known && lives(process)) report.left.push_back(process);
    }
    stop_report_ = std::move(report);
}

void managed_unit::throw_if_left(const char* verb) const {
    const std::string left = text_of_left(stop_report_.left);
    if (!left.empty()) throw failure(error_kind::unit_failed, cannot(verb, spec_->name), left);
}

std::shared_ptr<managed_unit> managed_unit::first_unready_dependency() const {
    for (const auto& name : spec_->after) {
        auto unit = context_->find(name);
        if (unit && unit->spec().kind != unit_kind::task && !unit->ready()) return unit;
    }
    return nullptr;
}

void managed_unit::start_dependencies(const std::optional<environment>& caller) const {
    for (const auto& name : spec_->after) {
        const auto unit = context_->find(name);
        if (unit && !unit->ready()) unit->request_start(caller);
    }
}

bool managed_unit::is_hopeless(const managed_unit& dependency) {
    return dependency.failed() || !dependency.coming_up();
}

bool managed_unit::is_over(const managed_unit& dependency) {
    return !dependency.running() && is_hopeless(dependency);
}

std::string managed_unit::waits_for(const managed_unit& dependency) {
    return fmt::format("it waits for '{}', which {}", dependency.spec().name,
                       dependency.failed() ? "failed" : fmt::format("is {}", name_of(dependency.state())));
}

void managed_unit::signal(int, bool) {
    throw failure(
        error_kind::unit_failed, cannot("signal", spec_->name),
        fmt::format("it is a {}, and only services and workers are signalled", name_of(spec_->kind)),
        "hob stop " + spec_->name + " ends it");
}

asio::awaitable<void> managed_unit::run_for(std::string) { co_return; }

asio::awaitable<void> managed_unit::hand_over(util::deadline) { co_return; }

bool managed_unit::has_tasks_before() const {
    return std::any_of(spec_->after.begin(), spec_->after.end(), [this](const std::string& name) {
        const auto unit = context_->find(name);
        return unit && unit->spec().kind == unit_kind::task;
    });
}

asio::awaitable<void> managed_unit::run_tasks_before(const char* verb, util::deadline limit) const {
    const auto spec = spec_;
    std::vector<std::string> tasks;
    std::vector<asio::awaitable<void>> runs;
    for (const auto& name : spec->after) {
        const auto unit = context_->find(name);
        if (!unit || unit->spec().kind != unit_kind::task) continue;
        tasks.push_back(name);
        runs.push_back(unit->run_for(spec->name));
    }
    if (runs.empty()) co_return;
    const auto results = co_await util::within(limit.remaining(), util::all_of(std::move(runs)));
    if (!results) {
        throw failure(error_kind::timeout, cannot(verb, spec->name),
                      fmt::format("it waits for '{}', which is running", tasks.front()));
    }
    for (std::size_t at = 0; at < results->size(); ++at) {
        if (!(*results)[at]) continue;
        try {
            std::rethrow_exception((*results)[at]);
        } catch (const failure& why) {
            throw failure(error_kind::unit_failed, cannot(verb, spec->name),
                          fmt::format("it needs '{}', which failed: {}", tasks[at], why.reason()),
                          "hob logs " + tasks[at], util::json_object().add("unit", tasks[at]).text());
        }
    }
}

asio::awaitable<void> managed_unit::await_dependencies(const char* verb, util::deadline limit) {
    if (!first_unready_dependency()) co_return;
    const auto alive = shared_from_this();
    start_dependencies(std::nullopt);
    while (const auto unit = first_unready_dependency()) {
        if (is_hopeless(*unit)) {
            throw failure(error_kind::unit_failed, cannot(verb, spec_->name), waits_for(*unit),
                          fmt::format("hob logs {}", unit->spec().name));
        }
        const bool in_time = co_await util::within(limit.remaining(), unit->changes().wait());
        if (in_time) continue;
        throw failure(error_kind::timeout, cannot(verb, spec_->name), waits_for(*unit));
    }
}

void managed_unit::show_lines_of(unit_log& log) const {
    const auto& show = context_->options.show_line;
    if (!show) return;
    log.copy_lines([show, name = spec_->name](std::string_view line) { show(name, line); });
}

void managed_unit::enter(unit_state state, pid_t pid, std::string_view reason) {
    if (state_ == state) return;
    const auto from = std::exchange(state_, state);
    since_ = std::chrono::system_clock::now();
    util::log(util::level::info, "unit", "unit changed its state",
              {field("unit", spec_->name), field("kind", name_of(spec_->kind)), field("from", name_of(from)),
               field("to", name_of(state)), field("pid", pid)});
    if (context_->options.publish) {
        util::json_object params;
        params.add("unit", spec_->name)
            .add("kind", name_of(spec_->kind))
            .add("from", name_of(from))
            .add("to", name_of(state));
        if (pid) params.add("pid", pid);
        if (!reason.empty()) params.add("reason", reason);
        context_->options.publish("unit.state", std::move(params).text());
    }
    if (context_->options.changed) context_->options.changed();
    changes_.ring();
}

}  // namespace hob::unit
