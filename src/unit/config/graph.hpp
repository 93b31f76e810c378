#pragma once
// Dependencies between units.

#include <vector>

#include "unit/config/unit_table.hpp"

namespace hob::unit {

// Notes names that are used twice, entries of `after` that name no unit, the unit itself or a unit twice, and
// cycles.
void check_graph(const std::vector<unit_draft>& drafts, problems& faults);

}  // namespace hob::unit
