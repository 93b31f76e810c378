#pragma once

#include <vector>

#include "unit/config/unit_table.hpp"

namespace hob::unit {

// What only all units together show: names used twice, `after` naming nothing, itself or the same unit twice,
// cycles. Faults are noted.
void check_graph(const std::vector<unit_draft>& drafts, problems& notes);

}  // namespace hob::unit
