#pragma once
// `-H HOST`: a verb on another machine, by the system's ssh. No other program of ours listens there.

#include <optional>
#include <string>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/command_line.hpp"

namespace hob::cmd {

// The near end: runs the command line there and returns the exit status of the verb. Ctrl-C, or the end of
// this process, cancels it there. Throws failure(usage, no_daemon, version, timeout).
int run_remotely(const command_line& line, const command& verb, const parsed_line& parsed);

// The far end, if `words` are its command line, else nullopt.
std::optional<int> run_for_remote(const std::vector<std::string>& words);

}  // namespace hob::cmd
