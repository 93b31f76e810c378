// `keep` of services and tasks.
#include <fmt/format.h>

#include "unit/config/key_readers.hpp"

namespace hob::unit {

void read_keep(const key_context& at) {
    auto& spec = object_of<keep_spec>(at);
    if (at.value.kind != value_kind::table) {
        if (at.value.kind == value_kind::integer) {
            at.table.read(at.key, at.value, spec.runs);
        } else {
            at.table.reject(at.key, at.value.where,
                            fmt::format("must be a number or {{ runs = 200, age = \"30d\", size = \"100MiB\" "
                                        "}}, not {}",
                                        described(at.value.kind)));
        }
        return;
    }
    spec.runs = 0;
    table_reader inner = inner_reader(at);
    const bool misspelt = !read_keys(inner, at.draft).empty();
    if (!misspelt && inner.table().members.empty())
        at.table.reject(at.key, at.value.where, "says nothing", "at least one of runs, age and size");
}

void read_keep_runs(const key_context& at) { at.table.read(at.key, at.value, object_of<keep_spec>(at).runs); }

void read_keep_size(const key_context& at) {
    std::uint64_t size = 0;
    if (at.table.read(at.key, at.value, size)) object_of<keep_spec>(at).size = size;
}

}  // namespace hob::unit
