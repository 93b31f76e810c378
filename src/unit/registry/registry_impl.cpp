#include "unit/registry/registry_impl.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "unit/service/service.hpp"
#include "unit/task/task.hpp"
#include "unit/worker/worker.hpp"
#include "util/log.hpp"
#include "util/suggest.hpp"

namespace hob::unit {

namespace asio = boost::asio;

registry::impl::impl(registry_options options)
    : context(std::make_shared<unit_context>(unit_context{std::move(options), false, {}})) {
    context->cgroups =
        std::make_unique<cgroup_home>(context->options.instance_key, context->options.state_dir);
    context->root = context->options.root;
    commands = command_runner::make(context);
    context->find = [this](std::string_view name) {
        const auto found = units.find(name);
        return found == units.end() ? nullptr : found->second;
    };
}

registry::impl::~impl() {
    context->find = [](std::string_view) { return unit_ptr(); };
}

const unit_spec* registry::impl::find(const std::string& name) const {
    for (const auto& spec : specs) {
        if (spec.name == name) return &spec;
    }
    return nullptr;
}

unit_ptr registry::impl::unit_named(const char* verb, const std::string& name) const {
    const auto found = units.find(name);
    if (found == units.end()) throw unknown(verb, name);
    return found->second;
}

std::shared_ptr<worker> registry::impl::worker_named(const std::string& name, const char* verb) const {
    const unit_spec* spec = find(name);
    if (!spec) throw unknown(verb, name);
    if (spec->kind == unit_kind::worker) return std::static_pointer_cast<worker>(units.at(name));
    throw failure(error_kind::unit_failed,
                  fmt::format("cannot {} '{}': it is a {}, and only workers are called", verb, name,
                              name_of(spec->kind)));
}

failure registry::impl::unknown(const char* verb, const std::string& name) const {
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
    return failure(error_kind::unit_unknown, fmt::format("cannot {} '{}': there is no such unit", verb, name),
                   hint);
}

void registry::impl::drop_gone() {
    std::erase_if(retired, [](const unit_ptr& one) { return !one->running(); });
}

unit_ptr registry::impl::make(const unit_spec& spec) const {
    if (spec.kind == unit_kind::service) return service::make(context, spec);
    if (spec.kind == unit_kind::task) return task::make(context, spec, !applied);
    return worker::make(context, spec);
}

void registry::impl::apply_unit(const unit_spec& spec) {
    const auto found = units.find(spec.name);
    if (found == units.end()) {
        units.emplace(spec.name, revive(spec));
    } else if (!(found->second->spec() == spec)) {
        found->second->reconfigure(spec);
    }
}

// A name that was removed and came back, while its process is still being stopped, is the same unit: two
// processes of one unit would not be told apart by their marks.
unit_ptr registry::impl::revive(const unit_spec& spec) {
    const auto old = std::find_if(retired.begin(), retired.end(), [&](const unit_ptr& one) {
        return one->spec().name == spec.name && one->spec().kind == spec.kind;
    });
    if (old == retired.end()) return make(spec);
    unit_ptr same = *old;
    retired.erase(old);
    same->reconfigure(spec);
    return same;
}

void registry::impl::record_desired_states(const char* verb, const std::vector<std::string>& names, bool up,
                                           const std::optional<std::vector<std::string>>& caller) {
    for (const auto& name : names)
        unit_named(verb, name);  // throws before anything is written
    const store::without_sync later(context->options.db);
    context->options.db.transaction([&] {
        for (const auto& name : names)
            unit_named(verb, name)->record_desired_state(up, caller);
    });
}

asio::awaitable<void> registry::impl::desired_states_are_durable() const {
    const auto disk = context->disk;
    const int error = co_await disk->flush();
    if (error == 0) co_return;
    util::log(util::level::error, "store", "what is to be up is not on the disk",
              {util::field("reason", errno_text(error))});
}

std::vector<unit_ptr> registry::impl::running() const {
    std::vector<unit_ptr> found;
    for (const auto& [name, one] : units) {
        if (one->running()) found.push_back(one);
    }
    for (const auto& one : retired) {
        if (one->running()) found.push_back(one);
    }
    if (commands->running()) found.push_back(commands);
    return found;
}

}  // namespace hob::unit
