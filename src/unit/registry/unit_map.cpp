#include "unit/registry/unit_map.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "unit/process/environment.hpp"
#include "unit/service/service.hpp"
#include "unit/task/task.hpp"
#include "unit/worker/worker.hpp"
#include "util/log/log.hpp"
#include "util/suggest.hpp"

namespace hob::unit {

namespace asio = boost::asio;

registry::unit_map::unit_map(registry_options options)
    : context(std::make_shared<unit_context>(unit_context{std::move(options), false, {}})),
      consents(context->options.db) {
    context->cgroups =
        std::make_unique<cgroup_home>(context->options.instance_key, context->options.state_dir);
    context->root = context->options.root;
    auto& base = context->options.base_environment;
    base = without_call_variables(base);
    if (!context->options.ports_path.empty())
        context->ports =
            std::make_unique<instance_ports>(context->options.ports_path, context->options.instance_key);
    context->options.changed = [this, also = std::move(context->options.changed)] {
        release_ports();
        if (also) also();
    };
    commands = command_runner::make(context);
    context->find = [this](std::string_view name) {
        const auto found = by_name.find(name);
        return found == by_name.end() ? nullptr : found->second;
    };
    context->became_ready = [this](std::string_view name, std::string_view asking) {
        const std::string why = fmt::format("'{}' is ready again", name);
        for (const auto& [dependent, unit] : by_name) {
            const auto& with = unit->spec().restart_with;
            if (dependent != asking && std::find(with.begin(), with.end(), name) != with.end())
                unit->request_new_process(why.c_str());
        }
    };
    context->may_start_by_itself = [this](std::string_view name) { return startable.contains(name); };
}

registry::unit_map::~unit_map() {
    context->options.changed = {};
    context->ports.reset();
    context->find = [](std::string_view) { return unit_ptr(); };
    context->became_ready = [](std::string_view, std::string_view) {};
    context->may_start_by_itself = [](std::string_view) { return false; };
}

const unit_spec* registry::unit_map::find(const std::string& name) const {
    for (const auto& spec : specs) {
        if (spec.name == name) return &spec;
    }
    return nullptr;
}

unit_ptr registry::unit_map::unit_named(const char* verb, const std::string& name) const {
    const auto found = by_name.find(name);
    if (found == by_name.end()) throw unknown(verb, name);
    return found->second;
}

std::shared_ptr<worker> registry::unit_map::worker_named(const std::string& name, const char* verb) const {
    const unit_spec* spec = find(name);
    if (!spec) throw unknown(verb, name);
    if (spec->kind == unit_kind::worker) return std::static_pointer_cast<worker>(by_name.at(name));
    throw failure(error_kind::unit_failed, cannot(verb, name),
                  fmt::format("it is a {}, and only workers are called", name_of(spec->kind)));
}

failure registry::unit_map::unknown(const char* verb, const std::string& name) const {
    std::vector<std::string_view> names;
    for (const auto& spec : specs)
        names.push_back(spec.name);
    std::string hint;
    if (const auto near = util::nearest(name, names)) {
        hint = fmt::format("did you mean '{}'?", *near);
    } else if (names.empty()) {
        hint = "hob.toml names no units";
    } else {
        hint = fmt::format("hob.toml has {}", fmt::join(names, ", "));
    }
    return failure(error_kind::unit_unknown, cannot(verb, name), "there is no such unit", hint);
}

void registry::unit_map::retire_missing(const config& configuration, running_process running) {
    for (auto at = by_name.begin(); at != by_name.end();) {
        const unit_ptr unit = at->second;
        const unit_spec* spec = configuration.find(at->first);
        const bool same_unit = spec && spec->kind == unit->spec().kind;
        if (same_unit || (!spec && running == running_process::keep && unit->running())) {
            ++at;
            continue;
        }
        unit->retired();
        unit->request_stop("it was removed from the configuration");
        context->options.db.clear_desired_up(at->first);
        retired.push_back(unit);
        at = by_name.erase(at);
    }
    drop_stopped();
}

void registry::unit_map::watch_time_zone() {
    const bool needed = std::any_of(specs.begin(), specs.end(), [](const unit_spec& spec) {
        return spec.kind == unit_kind::task && std::get<task_spec>(spec.detail).cron;
    });
    if (!needed) {
        time_zone.reset();
        return;
    }
    if (time_zone) return;
    const auto changed = [this] {
        util::log(util::level::info, "unit", "the time zone has changed");
        for (const auto& [name, unit] : by_name) {
            if (unit->spec().kind == unit_kind::task)
                std::static_pointer_cast<task>(unit)->time_zone_changed();
        }
    };
    try {
        time_zone =
            std::make_unique<util::time_zone_watch>(context->options.executor, "/etc/localtime", changed);
    } catch (const failure& why) {
        util::log(util::level::warning, "unit", "changes of the time zone are not noticed",
                  {util::field("reason", why.what())});
    }
}

void registry::unit_map::drop_stopped() {
    std::erase_if(retired, [](const unit_ptr& unit) { return !unit->running(); });
}

unit_ptr registry::unit_map::make(const unit_spec& spec) const {
    if (spec.kind == unit_kind::service) return service::make(context, spec);
    if (spec.kind == unit_kind::task) return task::make(context, spec, !applied && !context->options.goes_on);
    return worker::make(context, spec);
}

void registry::unit_map::apply_unit(const unit_spec& spec, running_process running) {
    const auto found = by_name.find(spec.name);
    if (found == by_name.end()) {
        by_name.emplace(spec.name, revive(spec));
    } else if (!(found->second->spec() == spec) || found->second->definition_changed()) {
        const bool may_replace = running == running_process::replace && startable.contains(spec.name);
        found->second->reconfigure(spec, may_replace ? running_process::replace : running_process::keep);
    }
}

// A unit that was removed and added again while its process is still stopping is the same object: the marks
// could not tell the processes of two units of one name apart.
unit_ptr registry::unit_map::revive(const unit_spec& spec) {
    const auto old = std::find_if(retired.begin(), retired.end(), [&](const unit_ptr& unit) {
        return unit->spec().name == spec.name && unit->spec().kind == spec.kind;
    });
    if (old == retired.end()) return make(spec);
    unit_ptr unit = *old;
    retired.erase(old);
    unit->reconfigure(spec, running_process::replace);
    return unit;
}

void registry::unit_map::record_desired_states(const char* verb, const std::vector<std::string>& names,
                                               bool up,
                                               const std::optional<std::vector<std::string>>& caller) {
    for (const auto& name : names)
        unit_named(verb, name);  // throws before anything is written
    const store::without_sync unsynced(context->options.db);
    context->options.db.transaction([&] {
        for (const auto& name : names)
            unit_named(verb, name)->record_desired_state(up, caller);
    });
}

void registry::unit_map::clear_desired_states(const std::vector<std::string>& names) const {
    for (const auto& name : names)
        unit_named("stop", name);  // throws before anything is written
    const store::without_sync unsynced(context->options.db);
    context->options.db.transaction([&] {
        for (const auto& name : names)
            context->options.db.clear_desired_up(name);
    });
}

asio::awaitable<void> registry::unit_map::sync_desired_states() const {
    const auto disk = context->disk;
    const int error = co_await disk->flush();
    if (error == 0) co_return;
    util::log(util::level::error, "store", "the desired states of units are not on the disk",
              {util::field("reason", errno_text(error))});
}

void registry::unit_map::release_ports() const {
    if (!context->ports || context->ports->chosen().empty() || !commands) return;
    const auto is_up = [](const unit_ptr& unit) { return unit->running(); };
    const bool any = commands->running() || std::any_of(retired.begin(), retired.end(), is_up) ||
                     std::any_of(by_name.begin(), by_name.end(),
                                 [&](const auto& named_unit) { return is_up(named_unit.second); });
    if (!any) context->ports->release();
}

// A number of runs that was in effect already is not exceeded.
void registry::unit_map::prune_history(const std::vector<unit_spec>& earlier) {
    for (const auto& spec : specs) {
        const auto before = std::find_if(earlier.begin(), earlier.end(),
                                         [&](const unit_spec& each) { return each.name == spec.name; });
        const bool changed = before != earlier.end() && !(before->keep == spec.keep);
        if (spec.keep.age || changed) context->runs.prune(spec.name, spec.keep);
    }
}

std::vector<unit_ptr> registry::unit_map::running() const {
    std::vector<unit_ptr> found;
    for (const auto& [name, unit] : by_name) {
        if (unit->running()) found.push_back(unit);
    }
    for (const auto& unit : retired) {
        if (unit->running()) found.push_back(unit);
    }
    if (commands->running()) found.push_back(commands);
    return found;
}

}  // namespace hob::unit
