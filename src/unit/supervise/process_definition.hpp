#pragma once
// Which parts of a unit's definition its processes depend on. A change of any other part applies to a running
// process at once.

#include "unit/spec/spec.hpp"

namespace hob::unit {

// What a reconfiguration does to a running process whose definition has changed.
enum class running_process {
    replace,  // stops it; it starts again with the new definition
    keep,     // leaves it alone until the unit is restarted
};

// `running` with the parts of `newer` that no process depends on. Both are of one kind.
unit_spec with_live_parts(const unit_spec& running, const unit_spec& newer);

bool needs_new_process(const unit_spec& running, const unit_spec& newer);

}  // namespace hob::unit
