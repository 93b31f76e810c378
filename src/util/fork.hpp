#pragma once

#include <sys/types.h>

namespace hob::util {

// As fork(2), but the child begins in the cgroup whose open directory this is. -1 and errno: the kernel or a
// filter does not permit that (clone3(2) with CLONE_INTO_CGROUP, Linux 5.7), and nothing was done.
// The child may only make calls that are safe after the fork of a process with threads.
pid_t fork_into_cgroup(int cgroup);

}  // namespace hob::util
