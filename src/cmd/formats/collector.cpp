#include <fmt/format.h>

#include <algorithm>

#include "cmd/formats/draft.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "unit/config/config.hpp"

namespace hob::cmd {
namespace {

constexpr std::size_t name_max = 64;

}  // namespace

failure cannot_import(const std::string& path, const std::string& reason, const std::string& hint) {
    return {error_kind::config, cannot("import", path), reason, hint};
}

// A valid, unique unit name: `my server!` becomes my-server.
std::string import_collector::unit_name(std::string_view from) {
    std::string name;
    for (const char c : from) {
        const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const bool good = alphanumeric || ((c == '.' || c == '_' || c == '-') && !name.empty());
        if (good) {
            name += c;
        } else if (!name.empty() && !name.ends_with('-')) {
            name += '-';
        }
    }
    name.resize(std::min(name.size(), name_max - 8));
    while (name.ends_with('-'))
        name.pop_back();
    if (name.empty()) name = "unit";
    if (name == "daemon") name = "daemon-1";
    std::string unique = name;
    for (int n = 2; std::find(taken_.begin(), taken_.end(), unique) != taken_.end(); ++n)
        unique = fmt::format("{}-{}", name, n);
    taken_.push_back(unique);
    return unique;
}

void import_collector::add(imported_unit unit) {
    if (!unit.cwd && context.folder != context.root) unit.cwd = parse_path("cwd", context.folder, context);
    unit.name = unit_name(unit.from);
    if (unit.name != unit.from) note(unit.from, fmt::format("it is called '{}'", unit.name));
    for (const auto& remark : unit.remarks)
        note(unit.from, remark);
    result_.units.push_back(std::move(unit));
}

void import_collector::refuse(const std::string& from, const std::string& reason) {
    result_.refused.push_back({from, reason});
}

void import_collector::note(const std::string& from, const std::string& text) {
    result_.notes.push_back({from, text});
}

std::string checked_toml(const imported_unit& unit, std::string_view file, const std::string& root) {
    imported_unit alone = unit;
    alone.after.clear();
    try {
        unit::parse_config(to_toml(alone, file), root + "/" + this_program.config_file, root);
    } catch (const failure& why) {
        throw unimportable(why.reason());
    }
    return to_toml(unit, file);
}

void settle_after(import_result& found, const std::function<bool(const std::string& unit)>& is_known) {
    const auto name_of = [&](const std::string& entry) {
        const auto same = [&](const imported_unit& unit) { return unit.from == entry; };
        const auto at = std::find_if(found.units.begin(), found.units.end(), same);
        return at != found.units.end() ? at->name : is_known(entry) ? entry : std::string();
    };
    for (auto& unit : found.units) {
        std::vector<import_after> kept;
        for (const auto& one : unit.after) {
            const std::string name = name_of(one.entry);
            if (!name.empty()) {
                kept.push_back({name, one.restart});
                continue;
            }
            unit.remarks.push_back(fmt::format("without '{}' in after: there is no such unit", one.entry));
            found.notes.push_back({unit.from, unit.remarks.back()});
        }
        unit.after = std::move(kept);
    }
}

}  // namespace hob::cmd
