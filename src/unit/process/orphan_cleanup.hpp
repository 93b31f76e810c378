#pragma once
// What a crashed predecessor left running (DESIGN 3.6), ended before this daemon is ready.

#include <chrono>
#include <string>

#include "unit/spec/spec.hpp"
#include "unit/store/store.hpp"

namespace hob::unit {

// Finds leftovers by the process records of `db` and by their marks, ends them as their unit's `kill` says,
// and forgets the records (kept where something survived, for the next start). Blocks for at most about
// `limit`; what cannot be read or killed is logged. `running` tells the kill scope of units without a record
// (a database that was set aside); without it they are scope `all`. Never touches another user's processes,
// those marked for another instance, or any hob daemon with its descendants. `state_dir`: where the cgroups
// of earlier daemons of this instance are noted; they are removed where nobody is spared in them.
void clean_up_orphans(store& db, const std::string& instance_key, std::chrono::milliseconds limit,
                      const config* running = nullptr, const std::string& state_dir = {});

}  // namespace hob::unit
