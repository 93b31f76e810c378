#pragma once
// One [KIND.NAME] table.

#include <string>
#include <vector>

#include "unit/config/table_reader.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

struct unit_draft {
    unit_spec spec;
    position where;               // of its name
    std::vector<position> after;  // of each entry of spec.after
    position stop_timeout;        // line 0: not given
};

// `base`: what relative paths are relative to; `cwd`: where a unit without `cwd` runs. Both absolute.
struct unit_places {
    std::string base;
    std::string cwd;
};

// Faults are noted; what is returned then is good for checks across units only.
unit_draft read_unit(unit_kind kind, const tree_member& member, const unit_places& places, problems& notes);

// `path` against `base`, which is absolute. "." and a leading "./" are dropped, ".." is the kernel's
// business.
std::string resolve_path(std::string_view path, const std::string& base);

}  // namespace hob::unit
