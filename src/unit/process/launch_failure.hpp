#pragma once
// Why a launch failed, as the new process reports it, and in words.

#include <string>

#include "unit/process/child.hpp"
#include "unit/process/find_program.hpp"

namespace hob::unit {

enum class launch_event : char {
    joined_cgroup,  // no failure: the process has moved into its cgroup
    not_set_up,
    no_directory,
    not_found,       // `candidate`: the one that is not executable; -1: none is a file
    not_executed,    // `candidate` as well
    no_interpreter,  // the script `candidate` names one that does not exist
};

// What the new process writes to its pipe: at most two of them.
struct launch_report {
    launch_event event = launch_event::not_set_up;
    int error = 0;  // errno
    int candidate = -1;
};

// What the texts of a launch need, until it is over.
struct launch_names {
    std::string unit;
    std::string cwd;
    std::string program;  // as it is in the command
    program_candidates candidates;
};

// Throw failure(unit_failed), "cannot start '<unit>': …". If a shell reports a status for such a start, the
// failure has it as its detail: {"exit":N}.
[[noreturn]] void throw_launch_failure(const launch_names& names, const launch_report& report);
[[noreturn]] void fail_to_start(const std::string& unit, const std::string& reason, std::string hint = {},
                                int exit = 0);

}  // namespace hob::unit
