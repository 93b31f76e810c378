#pragma once
// Implementation of class background; only the harness includes this.

#include <string>
#include <vector>

#include "harness/sandbox.hpp"

namespace hob::test {

struct background::state {
    std::string name;
    pid_t pid = 0;
    util::unique_fd in;
    util::unique_fd out;
    util::unique_fd err;
    std::string input;  // not written yet
    std::size_t line_start = 0;
    bool reaped = false;
    outcome result;
    std::chrono::steady_clock::time_point started;

    bool reap(int flags);          // true once the exit is known
    void pump(milliseconds wait);  // moves ready bytes; waits at most so long for some
};

struct spawn_plan {
    std::string program;
    std::vector<std::string> argv;
    std::vector<std::string> env;
    std::string cwd;
    std::optional<uid_t> uid;
    const run_options& options;
};

std::unique_ptr<background::state> spawn_state(spawn_plan plan);

}  // namespace hob::test
