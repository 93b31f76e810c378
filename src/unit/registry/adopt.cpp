// What a daemon before this one has left with the keeper, and goes on with this one.
#include <signal.h>

#include <algorithm>
#include <set>
#include <utility>

#include "unit/registry/registry.hpp"
#include "unit/registry/unit_map.hpp"
#include "unit/task/task.hpp"

namespace hob::unit {

bool registry::adopt(const std::string& unit, lifecycle::held_entry held) {
    const auto found = units_->by_name.find(unit);
    if (found == units_->by_name.end()) return false;
    found->second->adopt(std::move(held));
    return true;
}

void registry::adopt_watch(const std::string& unit, lifecycle::held_entry held) {
    const auto found = units_->by_name.find(unit);
    if (found != units_->by_name.end()) return found->second->adopt_watch(std::move(held));
    units_->context->options.keeper->drop(held.key);
}

// Those that wait come after those that have begun; a run whose retry waits is over.
void registry::adopt_runs(std::vector<lifecycle::held_entry> held) {
    std::vector<std::pair<run_order, lifecycle::held_entry>> found;
    std::set<std::string> retried;
    for (auto& entry : held) {
        const auto order = parse_run_order(entry.text().value_or(""));
        if (order && order->retry_of > 0)
            retried.insert(std::string(held_run_prefix) + std::to_string(order->retry_of));
        found.emplace_back(order.value_or(run_order()), std::move(entry));
    }
    std::stable_partition(found.begin(), found.end(),
                          [](const auto& each) { return each.second.key.starts_with(held_run_prefix); });
    for (auto& [order, entry] : found) {
        const std::string key = entry.key;
        const pid_t pid = entry.pid;
        if (!retried.contains(key) && adopt_run(order, std::move(entry))) continue;
        if (pid > 0) ::kill(-pid, SIGKILL);
        units_->context->options.keeper->drop(key);
    }
}

// False: its task is there no more, or its caller asks for another one.
bool registry::adopt_run(const run_order& order, lifecycle::held_entry held) {
    const bool has_begun = held.key.starts_with(held_run_prefix);
    if (has_begun && held.pid <= 0 && is_lost_without_process(order)) return false;
    if (order.unit == command_name && has_begun) {
        units_->commands->adopt_run(order, std::move(held));
        return true;
    }
    const auto unit = units_->by_name.find(order.unit);
    if (unit == units_->by_name.end() || unit->second->spec().kind != unit_kind::task) return false;
    const auto of = std::static_pointer_cast<task>(unit->second);
    if (has_begun) {
        of->adopt_run(order, std::move(held));
    } else {
        of->adopt_queued(order, held.key);
    }
    return true;
}

}  // namespace hob::unit
