#pragma once
// The client's half of `hob run` while the run is on: output to our own streams, our input and signals to the
// run, until its record comes.

#include <string>

#include "exit_code.hpp"
#include "ipc/client.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

struct run_session {
    ipc::client& daemon;
    std::string params;     // of task.run
    std::string what;       // for messages: the task, or the command
    bool input = false;     // standard input is read and sent
    bool terminal = false;  // standard input is a terminal, to be made raw
    util::deadline limit = util::deadline::never();
};

struct run_end {
    std::string record;  // raw JSON
    int status = 0;      // what to exit with
};

// Throws failure; ipc::not_executed when nothing was begun.
run_end follow_run(const run_session& session);

}  // namespace hob::cmd
