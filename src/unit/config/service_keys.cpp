// The keys that only services have, other than `ready`.
#include <fmt/format.h>

#include "unit/config/key_readers.hpp"
#include "util/duration.hpp"

namespace hob::unit {

void read_tty(const key_context& at) {
    bool& tty = object_of<unit_spec>(at).tty;
    if (!at.table.read(at.key, at.value, tty) || !tty) return;
    for (const std::string_view other : {"stdin", "output"}) {
        if (const tree_value* given = at.table.value(other))
            at.table.reject(other, given->where, "does not go with 'tty'",
                            "a terminal is its input and the one stream of its output");
    }
}

void read_backoff(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    table_reader inner = inner_reader(at);
    read_keys(inner, at.draft);
    const auto& spec = object_of<backoff_spec>(at);
    if (spec.min <= spec.max) return;
    const tree_value* max = inner.value("max");
    const tree_value* given = max != nullptr ? max : inner.value("min");
    at.table.reject(at.key, given->where,
                    fmt::format("has a min ({}) longer than its max ({})", util::format_duration(spec.min),
                                util::format_duration(spec.max)));
}

}  // namespace hob::unit
