#pragma once
// Settings that a process inherits through fork and exec: a daemon that kept those of its first caller would
// give them to every unit.

#include <sys/types.h>

#include <string>
#include <vector>

namespace hob::lifecycle {

// Sets back to normal, as far as the kernel permits: nice value, scheduling policy, I/O class, CPU mask,
// memory policy, OOM score, timer slack, personality, and soft limits. Those are then as high as the hard
// ones, but for the size of the stack, which is 8 MiB, and that of core files, which stays.
void undo_inherited();

// What a process keeps for good, in words such as "no_new_privs": restrictions of this process that the
// process with pid 1 does not have, and hard limits.
std::vector<std::string> inherited_for_good();

// After undo_inherited(): what the kernel did not permit to undo, in words such as "nice 19".
std::vector<std::string> inherited_still();

// The namespaces that `other` is in and this process is not, in words. Empty where they cannot be read.
std::vector<std::string> namespaces_apart(pid_t other);

}  // namespace hob::lifecycle
