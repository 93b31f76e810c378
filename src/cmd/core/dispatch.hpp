#pragma once

namespace hob::cmd {

// The whole program: finds the verb (by the name that the program was called by, or the first operand),
// parses, runs it and prints a failure. Returns the exit status. Never throws.
int dispatch(int argc, char** argv);

}  // namespace hob::cmd
