#include "unit/config/key_context.hpp"

namespace hob::unit {

std::vector<std::string_view> read_keys(table_reader& table, config_draft& draft) {
    for (const config_key* key : keys_in(table.scope())) {
        if (const tree_value* value = table.value(leaf_of(*key))) key->read({*key, *value, table, draft});
    }
    return table.reject_unknown_keys();
}

table_reader inner_reader(const key_context& at) {
    return {at.value, inner_scope(at.key, at.table.scope().table), at.table.inner_title(leaf_of(at.key)),
            at.table.faults()};
}

void read_inner_table(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    table_reader inner = inner_reader(at);
    read_keys(inner, at.draft);
}

}  // namespace hob::unit
