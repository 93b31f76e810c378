#pragma once
// Forgetting the instances of projects that were deleted.

#include <cstdint>
#include <vector>

#include "lifecycle/instance.hpp"

namespace hob::lifecycle {

// The known instances whose project directory was deleted, and of which no daemon and no other process is
// left.
std::vector<instance> deleted_instances();

// What its state and logs take on the disk, in bytes.
std::uint64_t state_size(const instance& where);

// Removes the state, the logs and the runtime files of a deleted instance. False: meanwhile it is in use.
// Throws failure(denied, foreign).
bool forget_instance(const instance& where);

}  // namespace hob::lifecycle
