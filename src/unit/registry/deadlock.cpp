// A command inside a unit must not wait for what waits for that unit.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "unit/registry/unit_map.hpp"

namespace hob::unit {
namespace {

// A service or worker that is up is not waited for. A run in progress is always waited for.
bool is_waited_for(const managed_unit& unit) {
    return unit.spec().kind == unit_kind::task ? unit.running() : !unit.ready();
}

// The units from `from` to `to`, each of which waits for the next; empty: there is no such way.
std::vector<std::string> find_way(const unit_context& context, const std::string& from, const std::string& to,
                                  std::set<std::string>& seen) {
    const auto unit = context.find(from);
    if (!unit || !seen.insert(from).second) return {};
    if (from == to) return is_waited_for(*unit) ? std::vector{from} : std::vector<std::string>();
    if (unit->spec().kind != unit_kind::task && unit->ready()) return {};
    for (const auto& next : unit->spec().after) {
        auto rest = find_way(context, next, to, seen);
        if (rest.empty()) continue;
        rest.insert(rest.begin(), from);
        return rest;
    }
    return {};
}

}  // namespace

bool registry::may_wait(const std::vector<std::string>& names) const {
    return std::any_of(names.begin(), names.end(), [this](const std::string& name) {
        const auto unit = units_->context->find(name);
        return unit && (!unit->spec().after.empty() || (unit->running() && is_waited_for(*unit)));
    });
}

void registry::refuse_deadlock(const char* verb, const std::vector<std::string>& names,
                               const std::string& caller) const {
    if (caller.empty()) return;
    for (const auto& name : names) {
        std::set<std::string> seen;
        const auto way = find_way(*units_->context, name, caller, seen);
        if (way.empty()) continue;
        const std::string cycle =
            way.size() == 1
                ? fmt::format("this command runs in '{}' and would wait for it", caller)
                : fmt::format("'{}', and this command runs in '{}'", fmt::join(way, "' waits for '"), caller);
        throw failure(
            error_kind::unit_failed, cannot(verb, name), "deadlock: " + cycle,
            fmt::format("let '{}' go on without waiting, or start '{}' from outside", caller, name));
    }
}

}  // namespace hob::unit
