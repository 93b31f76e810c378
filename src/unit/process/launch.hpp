#pragma once
// Fork and exec: what child.cpp begins with. The one place that forks once an io_context exists.

#include <sys/types.h>

#include <string>

#include "unit/process/child.hpp"

namespace hob::unit {

struct launched {
    pid_t pid = -1;
    int error = 0;  // of the step that failed; 0 in what launch() returns
    bool in_cgroup = false;
};

// Returns once the program runs. Throws as child's constructor, and leaves no process then.
launched launch(const child_options& options);

// SIGKILL, then waits for the end; for a process that nobody else reaps. `pid` <= 0: nothing.
void kill_and_reap(pid_t pid);

// Throws failure(unit_failed). `exit`: what a shell would make of it; 0: it would not get that far.
[[noreturn]] void fail_to_start(const child_options& options, const std::string& reason,
                                std::string hint = {}, int exit = 0);

}  // namespace hob::unit
