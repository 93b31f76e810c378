// How clients that follow units learn that these have ended.

#include <algorithm>
#include <utility>

#include "unit/registry/unit_map.hpp"
#include "util/async.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

asio::awaitable<void> change_or_drain(unit_ptr unit, std::shared_ptr<unit_context> context) {
    co_await util::first_of(unit->changes().wait(), context->drain_began->wait());
}

}  // namespace

void registry::require_units(const char* verb, const std::vector<std::string>& names) const {
    for (const auto& name : names)
        units_->unit_named(verb, name);
}

void registry::kill_units(const std::vector<std::string>& names) {
    for (const auto& name : names)
        units_->unit_named("stop", name)->kill_now();
}

std::vector<std::string> registry::with_dependencies(const std::vector<std::string>& names) const {
    const auto found = units_->with_dependencies(names);
    std::vector<std::string> in_order;
    for (const auto& spec : units_->specs) {
        if (found.contains(spec.name)) in_order.push_back(spec.name);
    }
    return in_order;
}

bool registry::is_running(const std::string& name) const {
    const auto unit = units_->context->find(name);
    return unit && unit->running();
}

asio::awaitable<void> registry::ended(std::vector<std::string> names, bool triggers) {
    const auto context = units_->context;
    const auto is_active = [&](const std::string& name) {
        const auto unit = context->find(name);
        return unit && (unit->running() || (triggers && unit->awaits_trigger()));
    };
    while (!context->drain_began->is_set()) {
        const auto active = std::find_if(names.begin(), names.end(), is_active);
        if (active == names.end()) co_return;
        co_await change_or_drain(context->find(*active), context);
    }
}

asio::awaitable<void> registry::drain_begins() {
    const auto context = units_->context;
    co_await context->drain_began->wait();
}

std::uint64_t registry::ends_of(const std::string& name) const {
    const auto unit = units_->context->find(name);
    return unit ? unit->ends() : 0;
}

asio::awaitable<std::optional<registry::first_end>> registry::next_end(std::string name, std::uint64_t before,
                                                                       util::manual_reset_event& tried) {
    const auto context = units_->context;
    for (;;) {
        const auto unit = context->find(name);
        if (!unit) co_return first_end{std::nullopt, "it was removed from the configuration"};
        if (unit->ends() != before || (tried.is_set() && !unit->running())) {
            const auto exit = unit->ends() != before ? unit->last_exit() : std::nullopt;
            co_return first_end{exit, exit ? "" : unit->status().detail};
        }
        if (context->drain_began->is_set()) co_return std::nullopt;
        if (tried.is_set()) {
            co_await change_or_drain(unit, context);
        } else {
            co_await util::first_of(change_or_drain(unit, context), tried.wait());
        }
    }
}

}  // namespace hob::unit
