#pragma once
// One [KIND.NAME] table.

#include <string>
#include <string_view>
#include <vector>

#include "unit/config/problems.hpp"
#include "unit/config/toml_tree.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

struct config_draft;

struct unit_draft {
    unit_spec spec;
    position where;               // of its name
    std::vector<position> after;  // of each entry of spec.after
    position stop_timeout;        // line 0: not given
};

// HOB_* are hob's own: units do not inherit them and may not set them. Except those that say where hob's
// files are, so that what runs inside a unit finds the same daemon.
bool is_own_variable(std::string_view name);

// What is wrong with a unit's name; empty: it is good.
std::string unit_name_fault(const std::string& name);

// Appends the variable of a table that is called `title`. Faults are noted.
void read_variable(const tree_member& member, const std::string& title, problems& faults,
                   variable_list& variables);

// Both absolute.
struct unit_base_paths {
    std::string file_directory;  // relative paths start here
    std::string default_cwd;     // where a unit without `cwd` runs
};

// Appends the unit to the draft. Faults are noted; a unit with faults is good for checks across units only.
void read_unit(unit_kind kind, const tree_member& member, config_draft& draft, problems& faults);

// `path` against `base`, which is absolute. "." and a leading "./" are dropped; ".." is left to the kernel.
std::string resolve_path(std::string_view path, const std::string& base);

}  // namespace hob::unit
