#pragma once
// Fork and exec, for child.cpp. Nothing else forks once an io_context exists.

#include <sys/types.h>

#include <string>

#include "unit/process/child.hpp"

namespace hob::unit {

struct launched {
    pid_t pid = -1;
    int error = 0;  // errno of the step that failed; launch() returns 0
    bool in_cgroup = false;
};

// Returns once the program runs. Throws as child's constructor does, and then leaves no process.
launched launch(const child_options& options);

// SIGKILL, then waits for the end. For a process that nobody else reaps. `pid` <= 0: does nothing.
void kill_and_reap(pid_t pid);

// Throws failure(unit_failed). `exit`: the status that a shell would report; 0: a shell would not get that
// far.
[[noreturn]] void fail_to_start(const child_options& options, const std::string& reason,
                                std::string hint = {}, int exit = 0);

}  // namespace hob::unit
