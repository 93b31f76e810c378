#pragma once
// Fork and exec, for child.cpp. Nothing else forks once an io_context exists.

#include <sys/types.h>

#include "unit/process/child.hpp"
#include "unit/process/find_program.hpp"
#include "util/fd.hpp"

namespace hob::unit {

struct launched {
    pid_t pid = -1;
    // Never blocks. It ends once the program runs or the process has ended; before that come launch_reports.
    util::unique_fd report;
    bool in_cgroup = false;
    bool is_sibling = false;  // the keeper is its parent
};

// Lets a process go on that waits until the keeper holds it. `report`: of its launch.
void open_gate(int report);

// Returns at once. The new process still has to change to its directory and to execute the program, and both
// can block. It has lost everything that it inherited before it does that. Throws failure(unit_failed) if
// there can be no process.
launched launch(const child_options& options, const program_candidates& candidates);

}  // namespace hob::unit
