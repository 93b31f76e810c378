// Which units may start by themselves: those that the user has named as they are defined now.
#include <algorithm>
#include <map>

#include "unit/process/deciding_variables.hpp"
#include "unit/registry/unit_map.hpp"
#include "unit/spec/definition_digest.hpp"

namespace hob::unit {
namespace {

std::vector<consent_store::entry> entries_of(const std::vector<unit_spec>& specs) {
    std::vector<consent_store::entry> entries;
    for (const auto& spec : specs)
        entries.push_back(consent_to(spec));
    return entries;
}

}  // namespace

void registry::unit_map::find_named(const config& configuration) {
    named.clear();
    for (const auto& spec : configuration.units) {
        if (consents.contains(consent_to(spec))) named.insert(spec.name);
    }
    find_startable(configuration.units);
}

// `after` has no cycles.
void registry::unit_map::find_startable(const std::vector<unit_spec>& of) {
    std::map<std::string_view, const unit_spec*> by_unit;
    for (const auto& spec : of)
        by_unit.emplace(spec.name, &spec);
    std::map<std::string_view, bool> known;
    const auto decide = [&](const auto& self, const unit_spec& spec) -> bool {
        if (const auto found = known.find(spec.name); found != known.end()) return found->second;
        const bool may = named.contains(spec.name) &&
                         std::all_of(spec.after.begin(), spec.after.end(), [&](const std::string& name) {
                             const auto dependency = by_unit.find(name);
                             return dependency == by_unit.end() || self(self, *dependency->second);
                         });
        known.emplace(spec.name, may);
        return may;
    };
    startable.clear();
    for (const auto& spec : of) {
        if (decide(decide, spec)) startable.insert(spec.name);
    }
}

bool registry::unit_map::is_held_back(const unit_spec& spec) const {
    if (startable.contains(spec.name)) return false;
    return starts_by_itself(spec) ||
           (spec.kind == unit_kind::service && context->options.db.desired_up(spec.name).has_value());
}

std::set<std::string, std::less<>> registry::unit_map::with_dependencies(
    const std::vector<std::string>& names) const {
    std::set<std::string, std::less<>> found;
    std::vector<std::string> left = names;
    while (!left.empty()) {
        const std::string name = std::move(left.back());
        left.pop_back();
        const unit_spec* spec = find(name);
        if (!spec || !found.insert(name).second) continue;
        left.insert(left.end(), spec->after.begin(), spec->after.end());
    }
    return found;
}

bool registry::is_consented(const std::vector<std::string>& names) const {
    return std::all_of(names.begin(), names.end(),
                       [this](const std::string& name) { return units_->startable.contains(name); });
}

std::vector<std::string> registry::consent(const std::vector<std::string>& names) {
    unit_map& map = *units_;
    const bool all_known = std::all_of(names.begin(), names.end(),
                                       [&](const std::string& name) { return map.find(name) != nullptr; });
    if (!all_known || is_consented(names)) return {};
    const auto chosen = map.with_dependencies(names);
    std::vector<consent_store::entry> added;
    std::vector<std::string> by_themselves;
    for (const auto& spec : map.specs) {
        if (!chosen.contains(spec.name) || map.named.contains(spec.name)) continue;
        added.push_back(consent_to(spec));
        map.named.insert(spec.name);
        if (starts_by_itself(spec)) by_themselves.push_back(spec.name);
    }
    if (!map.shared_env.empty()) added.push_back(consent_to_shared(map.shared_env));
    map.consents.add(added);
    map.find_startable(map.specs);
    // The request itself starts the named services and what they wait for, in its own environment.
    for (const auto& [name, unit] : std::map(map.by_name)) {
        if (unit->spec().kind == unit_kind::task || !chosen.contains(name)) unit->begin();
    }
    if (map.context->options.changed) map.context->options.changed();
    return by_themselves;
}

std::vector<std::string> registry::consent_to_all(const config& configuration) {
    std::vector<consent_store::entry> added;
    std::vector<std::string> by_themselves;
    for (const auto& spec : configuration.units) {
        auto entry = consent_to(spec);
        if (units_->consents.contains(entry)) continue;
        added.push_back(std::move(entry));
        if (starts_by_itself(spec)) by_themselves.push_back(spec.name);
    }
    if (!configuration.env.empty()) added.push_back(consent_to_shared(configuration.env));
    if (!added.empty()) units_->consents.add(added);
    return by_themselves;
}

std::vector<std::string> registry::unaccepted_variables() const {
    std::vector<std::string> found;
    for (const auto& [name, value] : units_->shared_env) {
        if (decides_what_is_executed(name)) found.push_back(name);
    }
    if (!found.empty() && units_->consents.contains(consent_to_shared(units_->shared_env))) found.clear();
    return found;
}

void registry::adopt_consent_to_path(const config& configuration) {
    units_->consents.replace_consent_to_path(entries_of(configuration.units));
}

}  // namespace hob::unit
