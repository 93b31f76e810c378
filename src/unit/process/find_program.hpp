#pragma once

#include <string>
#include <vector>

#include "unit/process/child.hpp"

namespace hob::unit {

// Where a program may be.
struct program_candidates {
    std::vector<std::string> paths;  // never empty; the first that can be executed is the program
    std::string searched;            // the PATH that they come from; empty: the name has a slash
};

// Looks at no file. A name with a slash is the only candidate, else there is one for each directory in the
// PATH of the unit's environment.
program_candidates program_candidates_of(const child_options& options);

struct found_program {
    int index = -1;  // of the candidate; -1: there is none
    bool executable = false;
};

// The first candidate that can be executed, else the first that is a file. It can block for as long as a file
// system does, so a new process calls it. It makes only calls that are safe between fork and exec.
found_program find_program(const std::vector<std::string>& candidates);

}  // namespace hob::unit
