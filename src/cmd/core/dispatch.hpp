#pragma once

namespace hob::cmd {

// The whole program: finds the verb (by the program's own name or the first operand), parses, runs, prints
// what failed. Returns the exit status. Never throws.
int dispatch(int argc, char** argv);

}  // namespace hob::cmd
