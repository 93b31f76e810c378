#pragma once
// Ends the processes that a crashed predecessor left running, before this daemon is ready.

#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "unit/process/scope.hpp"
#include "unit/spec/spec.hpp"
#include "unit/store/store.hpp"

namespace hob::unit {

// A process of a unit whose daemon is gone.
struct orphan {
    std::string unit;
    member process;
};

// What clean_up_orphans() would end, in a process that is not the daemon. Reads all of /proc.
std::vector<orphan> find_orphans(const std::vector<process_record>& records, const std::string& instance_key,
                                 const config* running, const std::string& state_dir);

// Finds leftovers by the process records of `db` and by their marks, and ends them as their unit's `kill`
// says. Removes the records, except where a process survived: then the next start needs them. Blocks for at
// most about `limit`; logs what cannot be read or killed. `running` has the kill scope of units without a
// record (the database was set aside); without it their scope is `all`. Never touches processes marked for
// another instance or by another user's daemon, nor any hob daemon with its descendants. `state_dir` lists
// the cgroups of earlier daemons of this instance; empty ones are removed. The processes of the units that go
// on under this daemon are left alone.
struct cleanup_options {
    const config* running = nullptr;
    std::string state_dir{};
    std::set<std::string, std::less<>> going_on{};
};
void clean_up_orphans(store& db, const std::string& instance_key, std::chrono::milliseconds limit,
                      const cleanup_options& options = {});

}  // namespace hob::unit
