#pragma once
// Explains why units did not come up: which they are, what they do, and what they have written last.

#include <chrono>
#include <string_view>

#include "cmd/core/command.hpp"
#include "error.hpp"

namespace hob::cmd {

// The failure of a request to `verb` the operands' units, or all services, with all of them that are not up:
// their states in its text and in its detail. On a terminal or in a pipe, the last lines of their logs are
// printed at once; with --json they are in the detail. `began`: when the command began.
failure explain_unready(invocation& call, std::string_view verb, const failure& why,
                        std::chrono::system_clock::time_point began);

}  // namespace hob::cmd
