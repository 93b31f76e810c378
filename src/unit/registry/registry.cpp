#include "unit/registry/registry.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "unit/process/environment.hpp"
#include "unit/protocol/attachment.hpp"
#include "unit/registry/unit_map.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/task/task.hpp"
#include "unit/worker/worker.hpp"

namespace hob::unit {

namespace asio = boost::asio;

registry::registry(registry_options options) : units_(std::make_unique<unit_map>(std::move(options))) {}
registry::~registry() = default;

apply_result registry::compare(const config& configuration) const {
    apply_result result;
    for (const auto& spec : configuration.units) {
        const auto found = units_->by_name.find(spec.name);
        if (found == units_->by_name.end()) {
            result.added.push_back(spec.name);
            continue;
        }
        const managed_unit& unit = *found->second;
        const bool unchanged = unit.spec() == spec && !unit.definition_changed();
        (unchanged ? result.unchanged : result.changed).push_back(spec.name);
    }
    for (const auto& spec : units_->specs) {
        if (!configuration.find(spec.name)) result.removed.push_back(spec.name);
    }
    return result;
}

apply_result registry::apply(const config& configuration, running_process running) {
    unit_map& map = *units_;
    apply_result result = compare(configuration);
    map.find_named(configuration);
    map.retire_missing(configuration, running);
    const std::vector<unit_spec> earlier = std::exchange(map.specs, configuration.units);
    for (const auto& spec : configuration.units)
        map.apply_unit(spec, running);
    for (const auto& spec : earlier) {  // what still runs though it was removed
        if (!configuration.find(spec.name) && map.by_name.contains(spec.name)) map.specs.push_back(spec);
    }
    if (map.context->ports) map.context->ports->prefer(configuration.ports);
    map.shared_env = configuration.env;
    map.commands->share_environment(configuration.env);
    map.applied = true;
    map.watch_time_zone();
    map.context->options.log_max_size = configuration.log.max_size;
    map.context->options.log_max_files = configuration.log.max_files;
    for (const auto& [name, unit] : map.by_name)
        unit->set_log_limits(configuration.log.max_size, configuration.log.max_files);
    map.commands->set_log_limits(configuration.log.max_size, configuration.log.max_files);
    map.prune_history(earlier);
    if (map.context->options.changed) map.context->options.changed();
    return result;
}

const port_list& registry::ports() const {
    static const port_list none;
    return units_->context->ports ? units_->context->ports->chosen() : none;
}

unit_status registry::unit_map::status_of(const unit_spec& spec) const {
    const managed_unit& unit = *by_name.at(spec.name);
    unit_status status = unit.status();
    status.changed = unit.definition_changed();
    status.enabled = spec.enabled;
    status.is_new = !named.contains(spec.name);
    if (status.changed && status.detail.empty())
        status.detail = "hob.toml has changed; applied by: hob restart " + spec.name;
    if (status.detail.empty() && is_held_back(spec)) status.detail = held_back_text(spec.name, status.is_new);
    if (status.detail.empty() && !spec.enabled && !unit.running()) status.detail = "not enabled";
    return status;
}

std::vector<unit_status> registry::status() const {
    std::vector<unit_status> all;
    all.reserve(units_->specs.size());
    for (const auto& spec : units_->specs)
        all.push_back(units_->status_of(spec));
    return all;
}

std::optional<unit_status> registry::status(const std::string& unit) const {
    const auto spec = std::find_if(units_->specs.begin(), units_->specs.end(),
                                   [&](const unit_spec& each) { return each.name == unit; });
    if (spec == units_->specs.end()) return std::nullopt;
    return units_->status_of(*spec);
}

registry::unit_counts registry::counts() const {
    unit_counts counts{units_->specs.size()};
    for (const auto& [name, unit] : units_->by_name) {
        if (ipc::is_up(unit->state())) ++counts.up;
        if (unit->failing()) ++counts.failed;
    }
    return counts;
}

asio::awaitable<std::string> registry::call(std::string unit, std::string method, std::string params_raw,
                                            std::optional<std::chrono::milliseconds> timeout) {
    call_request request;
    request.method = std::move(method);
    request.params = std::move(params_raw);
    request.timeout = timeout;
    co_return co_await call(std::move(unit), std::move(request));
}

asio::awaitable<std::string> registry::call(std::string unit, call_request request) {
    const auto worker = units_->worker_named(unit);
    co_return co_await worker->call(std::move(request));
}

asio::awaitable<std::string> registry::capabilities(std::string unit,
                                                    std::optional<std::chrono::milliseconds> timeout) {
    const auto worker = units_->worker_named(unit);
    co_return co_await worker->capabilities(timeout);
}

asio::awaitable<std::string> registry::list(std::string unit,
                                            std::optional<std::chrono::milliseconds> timeout) {
    const auto worker = units_->worker_named(unit);
    co_return co_await worker->list(timeout);
}

asio::awaitable<void> registry::start(std::string unit,
                                      std::optional<std::vector<std::string>> caller_environment) {
    co_await units_->unit_named("start", unit)->start(std::move(caller_environment));
}

void registry::signal(const std::string& unit, int number, bool whole) {
    units_->unit_named("signal", unit)->signal(number, whole);
}

asio::awaitable<void> registry::stop(std::string unit) {
    co_await units_->unit_named("stop", unit)->stop(true);
}

asio::awaitable<void> registry::restart(std::string unit,
                                        std::optional<std::vector<std::string>> caller_environment) {
    co_await units_->unit_named("restart", unit)->restart(std::move(caller_environment));
}

std::vector<std::string> registry::services_to_restart() const {
    std::vector<std::string> names;
    for (const auto& spec : units_->specs) {
        const managed_unit& unit = *units_->by_name.at(spec.name);
        if (spec.kind == unit_kind::service && (unit.running() || unit.failed())) names.push_back(spec.name);
    }
    return names;
}

std::vector<std::string> registry::restarting(const std::vector<std::string>& changed) const {
    std::vector<std::string> names;
    for (const auto& name : changed) {
        const auto unit = units_->context->find(name);
        if (unit && unit->spec().kind == unit_kind::service && unit->coming_up() &&
            !unit->definition_changed())
            names.push_back(name);
    }
    return names;
}

void registry::replace_kept_environments(const std::vector<std::string>& environment) {
    const auto cleaned = without_call_variables(environment);
    store& db = units_->context->options.db;
    db.transaction([&] {
        for (const auto& spec : units_->specs) {
            if (db.desired_up(spec.name)) db.set_desired_up(spec.name, cleaned);
        }
    });
}

std::shared_ptr<active_run> registry::run_task(const std::string& unit, run_parameters parameters) {
    const auto found = units_->unit_named("run", unit);
    if (found->spec().kind != unit_kind::task) {
        const bool service = found->spec().kind == unit_kind::service;
        throw failure(error_kind::unit_failed, cannot("run", unit),
                      fmt::format("it is a {}, and only tasks are run", name_of(found->spec().kind)),
                      fmt::format("hob {} {}", service ? "up" : "call", unit));
    }
    if (!parameters.arguments.empty() && found->spec().run.ignores_arguments) {
        throw failure(error_kind::usage, cannot("run", unit), "its script ignores arguments",
                      "write \"$@\" in its `run` where they belong");
    }
    return std::static_pointer_cast<task>(found)->submit(std::move(parameters));
}

std::shared_ptr<active_run> registry::run_command(std::vector<std::string> command,
                                                  run_parameters parameters) {
    return units_->commands->submit(std::move(command), std::move(parameters));
}

std::shared_ptr<active_run> registry::find_run(std::int64_t id) const {
    const auto found = units_->context->active_runs.find(id);
    return found == units_->context->active_runs.end() ? nullptr : found->second.lock();
}

std::optional<std::int64_t> registry::run_of(const std::string& token) const {
    for (const auto& [known, run] : units_->context->run_tokens) {
        if (known == token) return run;
    }
    return std::nullopt;
}

run_store& registry::runs() { return units_->context->runs; }

void registry::begin() {
    for (const auto& spec : std::vector<unit_spec>(units_->specs)) {
        const auto found = units_->by_name.find(spec.name);
        if (found != units_->by_name.end()) found->second->begin();
    }
}

bool registry::anything_running() const { return !units_->running().empty(); }

bool registry::needed() const {
    return anything_running() || std::any_of(units_->by_name.begin(), units_->by_name.end(),
                                             [](const auto& each) { return each.second->awaits_trigger(); });
}

bool registry::busy() const {
    if (calls_in_flight() > 0) return true;
    const auto running = units_->running();
    return std::any_of(running.begin(), running.end(),
                       [](const auto& unit) { return unit->spec().kind != unit_kind::worker; });
}

std::size_t registry::calls_in_flight() const {
    std::size_t count = 0;
    for (const auto& [name, unit] : units_->by_name)
        count += unit->in_flight();
    for (const auto& unit : units_->retired)
        count += unit->in_flight();
    return count;
}

}  // namespace hob::unit
