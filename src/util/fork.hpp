#pragma once
// Processes are made by fork(2). glibc's posix_spawn uses clone3 where the kernel has it, and fails where a
// filter refuses that with EPERM, as those of old container engines do.

#include <sys/types.h>

#include <functional>

namespace hob::util {

// As fork(2), but the child begins in the cgroup whose open directory this is. -1 and errno: the kernel or a
// filter does not permit that (clone3(2) with CLONE_INTO_CGROUP, Linux 5.7), and nothing was done.
// The child may only make calls that are safe after the fork of a process with threads.
pid_t fork_into_cgroup(int cgroup);

// As fork(2), but the child is one of this process's parent, as clone(2) has it with CLONE_PARENT. `cgroup`:
// likewise; -1: that of this process. -1 and errno: not permitted here, and nothing was done.
pid_t fork_sibling(int cgroup);

// Starts a program with this process's environment; `path` without a slash is looked up in PATH. `prepare`
// runs in the child, with the same limits; false: it failed, and errno says why. -1 and errno: there is no
// process, or it could not be prepared, or not execute the program; none is left then.
pid_t start_program(const char* path, char* const* argv, const std::function<bool()>& prepare);

}  // namespace hob::util
