// The names that a configuration has, for completion and for verbs that read logs and records without a
// daemon.
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>

#include "unit/config/config.hpp"
#include "unit/config/file.hpp"
#include "unit/config/sources.hpp"
#include "unit/config/syntax_scan.hpp"
#include "util/real_path.hpp"

namespace hob::unit {
namespace {

constexpr std::array kinds{unit_kind::worker, unit_kind::service, unit_kind::task};

std::optional<unit_kind> kind_named(std::string_view name) {
    for (const unit_kind kind : kinds) {
        if (name_of(kind) == name) return kind;
    }
    return std::nullopt;
}

using named_kinds = std::vector<std::pair<std::string, unit_kind>>;

void add_names(const tree_value& root, const std::string& prefix, named_kinds& names) {
    std::vector<std::pair<position, std::pair<std::string, unit_kind>>> found;
    for (const auto& member : root.members) {
        const auto kind = kind_named(member.key);
        if (!kind) continue;
        for (const auto& unit : member.value.members)
            found.push_back({unit.where, {prefix + unit.key, *kind}});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    for (auto& [where, name] : found)
        names.push_back(std::move(name));
}

void add_groups(const tree_value& root, std::set<std::string>& groups) {
    for (const auto& member : root.members) {
        if (!kind_named(member.key)) continue;
        for (const auto& unit : member.value.members) {
            for (const auto& key : unit.value.members) {
                if (key.key != "groups") continue;
                for (const auto& item : key.value.items)
                    groups.insert(item.text);
            }
        }
    }
}

named_kinds names_in_headers(std::string_view bytes) {
    named_kinds names;
    for (auto& [kind_name, name] : scan_headers(bytes)) {
        const auto kind = kind_named(kind_name);
        if (!kind || name.empty()) continue;
        std::pair<std::string, unit_kind> row{std::move(name), *kind};
        if (std::find(names.begin(), names.end(), row) == names.end()) names.push_back(std::move(row));
    }
    return names;
}

const tree_value* value_of(const tree_value& table, std::string_view key) {
    for (const auto& member : table.members) {
        if (member.key == key) return &member.value;
    }
    return nullptr;
}

bool is_in_group(const tree_value& unit, std::string_view group) {
    const tree_value* groups = value_of(unit, "groups");
    return groups && std::any_of(groups->items.begin(), groups->items.end(),
                                 [&](const tree_value& item) { return item.text == group; });
}

// Of one file: the units that the selector means.
void add_selected(const tree_value& root, const std::string& prefix, const std::string& selector,
                  std::vector<std::string>& names) {
    for (const auto& member : root.members) {
        const auto kind = kind_named(member.key);
        if (!kind) continue;
        for (const auto& unit : member.value.members) {
            const tree_value* enabled = value_of(unit.value, "enabled");
            if (enabled && !enabled->boolean) continue;
            const std::string name = prefix + unit.key;
            const bool meant =
                selector.starts_with('@')
                    ? is_in_group(unit.value, std::string_view(selector).substr(1))
                    : kind == unit_kind::service && ::fnmatch(selector.c_str(), name.c_str(), 0) == 0;
            if (meant && std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
        }
    }
}

// A worker, or a service with a terminal or an open standard input.
bool is_attachable(const tree_value& unit, unit_kind kind) {
    if (kind != unit_kind::service) return kind == unit_kind::worker;
    const tree_value* tty = value_of(unit, "tty");
    const tree_value* input = value_of(unit, "stdin");
    return (tty && tty->boolean) || (input && input->text == "open");
}

void add_attachable(const tree_value& root, const std::string& prefix, named_kinds& names) {
    for (const auto& member : root.members) {
        const auto kind = kind_named(member.key);
        if (!kind) continue;
        for (const auto& unit : member.value.members) {
            if (is_attachable(unit.value, *kind)) names.push_back({prefix + unit.key, *kind});
        }
    }
}

bool has_unit(const tree_value& root, const std::string& name) {
    return std::any_of(root.members.begin(), root.members.end(), [&](const tree_member& member) {
        return kind_named(member.key) && value_of(member.value, name) != nullptr;
    });
}

std::string scoped(const source_trees& sources, const std::string& name, const std::string& directory) {
    const included_tree* nearest = nullptr;
    for (const auto& file : sources.included) {
        const bool nearer = !nearest || file.directory.size() > nearest->directory.size();
        if (nearer && util::is_within(directory, file.directory) && has_unit(file.tree, name))
            nearest = &file;
    }
    return nearest ? nearest->prefix + "." + name : name;
}

}  // namespace

std::vector<std::pair<std::string, unit_kind>> unit_names(const std::string& path) {
    named_kinds names;
    if (const auto sources = glance_at_sources(path)) {
        add_names(sources->main, {}, names);
        for (const auto& file : sources->included)
            add_names(file.tree, file.prefix + ".", names);
    } else if (const auto bytes = read_any_file(path)) {
        return names_in_headers(*bytes);
    }
    return names;
}

std::vector<std::pair<std::string, unit_kind>> attachable_names(const std::string& path) {
    named_kinds names;
    if (const auto sources = glance_at_sources(path)) {
        add_attachable(sources->main, {}, names);
        for (const auto& file : sources->included)
            add_attachable(file.tree, file.prefix + ".", names);
    }
    return names;
}

std::vector<std::string> group_names(const std::string& path) {
    std::set<std::string> groups;
    if (const auto sources = glance_at_sources(path)) {
        add_groups(sources->main, groups);
        for (const auto& file : sources->included)
            add_groups(file.tree, groups);
    }
    return {groups.begin(), groups.end()};
}

bool is_selector(std::string_view name) {
    return name.starts_with('@') || name.find_first_of("*?[") != std::string_view::npos;
}

std::vector<std::string> names_meant(const std::string& path, const std::vector<std::string>& names,
                                     const std::string& directory) {
    const auto sources = names.empty() ? std::nullopt : glance_at_sources(path);
    if (!sources) return names;
    std::vector<std::string> meant;
    for (const auto& name : names) {
        if (!is_selector(name)) {
            meant.push_back(scoped(*sources, name, directory));
            continue;
        }
        const std::size_t before = meant.size();
        add_selected(sources->main, {}, name, meant);
        for (const auto& file : sources->included)
            add_selected(file.tree, file.prefix + ".", name, meant);
        if (meant.size() == before) meant.push_back(name);
    }
    return meant;
}

}  // namespace hob::unit
