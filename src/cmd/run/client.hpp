#pragma once
// The client of `hob run` during a run: copies output to this process's streams, and input and signals to the
// run, until its record comes.

#include <string>

#include "exit_code.hpp"
#include "ipc/client.hpp"
#include "lifecycle/instance.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

struct run_session {
    const lifecycle::instance& where;
    ipc::client& daemon;
    std::string params;            // of task.run; asks for the same run again when it is sent twice
    std::string what;              // for messages: the task, or the command
    bool input = false;            // read standard input and send it
    bool hand_over_input = false;  // the run gets standard input itself
    bool terminal = false;         // put standard input, a terminal, into raw mode
    util::deadline limit = util::deadline::never();
};

struct run_result {
    std::string record;  // raw JSON
    int status = 0;      // the exit status of hob
};

// Goes on with the next daemon when one dies, where one follows. Throws failure; ipc::not_executed when the
// request was not executed.
run_result follow_run(const run_session& session);

}  // namespace hob::cmd
