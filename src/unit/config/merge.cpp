#include "unit/config/merge.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "unit/config/keys.hpp"

namespace hob::unit {
namespace {

tree_member* member_of(tree_value& table, const std::string& key) {
    const auto found = std::find_if(table.members.begin(), table.members.end(),
                                    [&](const tree_member& member) { return member.key == key; });
    return found == table.members.end() ? nullptr : &*found;
}

bool excludes_others(const config_key* key) {
    return key != nullptr &&
           (key->presence == key_presence::alternative || key->presence == key_presence::exclusive);
}

void drop_excluded(tree_value& table, key_scope scope, const config_key& by) {
    std::erase_if(table.members, [&](const tree_member& member) {
        const config_key* key = find_key(scope, member.key);
        return key != nullptr && key != &by && key->presence == by.presence;
    });
}

// nullopt: the members are no keys of hob's.
using maybe_scope = std::optional<key_scope>;

void merge_table(tree_value& base, tree_value over, maybe_scope scope);

// `inner`: of the keys in the member, if that is a table.
void merge_member(tree_value& base, tree_member member, maybe_scope inner) {
    tree_member* known = member_of(base, member.key);
    if (known == nullptr) {
        base.members.push_back(std::move(member));
    } else if (known->value.kind == value_kind::table && member.value.kind == value_kind::table) {
        merge_table(known->value, std::move(member.value), inner);
    } else {
        *known = std::move(member);
    }
}

void merge_table(tree_value& base, tree_value over, maybe_scope scope) {
    for (auto& member : over.members) {
        const config_key* key = scope ? find_key(*scope, member.key) : nullptr;
        if (excludes_others(key)) drop_excluded(base, *scope, *key);
        const bool has_keys =
            key && (key->type == value_type::table || key->type == value_type::url_or_table);
        merge_member(base, std::move(member),
                     has_keys ? maybe_scope(inner_scope(*key, scope->table)) : std::nullopt);
    }
}

bool holds_units(key_scope scope) { return (scope.table & in_units) != 0; }

}  // namespace

void merge_file(tree_value& base, tree_value over) {
    const key_scope file{in_file, {}};
    for (auto& member : over.members) {
        const config_key* key = find_key(file, member.key);
        const maybe_scope inner = key ? maybe_scope(inner_scope(*key, in_file)) : std::nullopt;
        tree_member* known = member_of(base, member.key);
        const bool of_units = inner && holds_units(*inner) && known != nullptr &&
                              known->value.kind == value_kind::table &&
                              member.value.kind == value_kind::table;
        if (!of_units) {
            merge_member(base, std::move(member), inner);
            continue;
        }
        for (auto& unit : member.value.members)
            merge_member(known->value, std::move(unit), inner);
    }
}

}  // namespace hob::unit
