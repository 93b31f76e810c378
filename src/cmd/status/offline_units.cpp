#include "cmd/status/offline_units.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <utility>

#include "error.hpp"
#include "unit/config/config.hpp"
#include "unit/spec/definition_digest.hpp"
#include "unit/spec/unit_status_json.hpp"
#include "unit/store/reader.hpp"
#include "unit/store/run_store.hpp"
#include "util/suggest.hpp"

namespace hob::cmd {
namespace {

bool exists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

ipc::unit_state state_at_rest(unit::unit_kind kind) {
    switch (kind) {
        case unit::unit_kind::service:
            return ipc::unit_state::stopped;
        case unit::unit_kind::worker:
            return ipc::unit_state::cold;
        case unit::unit_kind::task:
            break;
    }
    return ipc::unit_state::idle;
}

// A database that cannot be read leaves out what it records.
std::set<std::string> desired_up(const std::string& database) {
    try {
        const auto names = unit::read_desired_up(database);
        return {names.begin(), names.end()};
    } catch (const failure&) {
        return {};
    }
}

// The units that the user has named as they are defined now.
std::set<std::string> named_units(const std::string& database, const unit::config& config) {
    std::set<std::string> names;
    try {
        const auto known = unit::read_consents(database);
        const std::set<std::pair<std::string, std::string>> consents(known.begin(), known.end());
        for (const auto& spec : config.units) {
            if (consents.contains({spec.name, unit::definition_digest(spec)})) names.insert(spec.name);
        }
    } catch (const failure&) {  // as above
    }
    return names;
}

std::optional<unit::run_record> last_run_of(const std::string& database, const std::string& task) {
    try {
        auto runs = unit::read_runs(database, {.task = task, .limit = 1}, true);
        if (!runs.empty()) return std::move(runs.front());
    } catch (const failure&) {  // as above
    }
    return std::nullopt;
}

const unit::unit_spec& known_unit(const unit::config& config, const std::string& name) {
    if (const auto* spec = config.find(name)) return *spec;
    std::vector<std::string_view> candidates;
    for (const auto& spec : config.units)
        candidates.push_back(spec.name);
    const auto near = util::nearest(name, candidates);
    throw failure(error_kind::unit_unknown, cannot("show", name), "there is no such unit",
                  near ? "did you mean '" + std::string(*near) + "'?" : "hob status lists the units");
}

}  // namespace

offline_units read_offline_units(const lifecycle::instance& where, const std::vector<std::string>& names,
                                 const std::string& directory) {
    offline_units found;
    if (where.config_path.empty() || !exists(where.config_path)) return found;
    const std::string database = where.database_path();
    const std::set<std::string> desired = desired_up(database);
    unit::config config;
    try {
        config = unit::load_config(where.config_path, ::geteuid(), where.root);
    } catch (const failure&) {
        found.config_state = "broken";
        found.were_up.assign(desired.begin(), desired.end());
        return found;
    }
    const std::set<std::string> named = named_units(database, config);
    std::vector<unit::unit_status> units;
    const auto add = [&](const unit::unit_spec& spec) {
        unit::unit_status& status = units.emplace_back();
        status.name = spec.name;
        status.kind = spec.kind;
        status.state = state_at_rest(spec.kind);
        if (spec.kind == unit::unit_kind::task) status.last_run = last_run_of(database, spec.name);
        status.enabled = spec.enabled;
        status.is_new = !named.contains(spec.name);
        const bool was_up = spec.kind == unit::unit_kind::service && desired.contains(spec.name);
        if (was_up) found.were_up.push_back(spec.name);
        if (status.is_new && (was_up || unit::starts_by_itself(spec))) {
            status.detail = unit::held_back_text(spec.name, true);
        } else if (was_up) {
            status.detail = "was up";
        } else if (!spec.enabled) {
            status.detail = "not enabled";
        }
    };
    if (names.empty()) {
        for (const auto& spec : config.units)
            add(spec);
    }
    for (const auto& name : unit::names_meant(where.config_path, names, directory))
        add(known_unit(config, name));
    found.json = unit::units_json(units);
    return found;
}

}  // namespace hob::cmd
