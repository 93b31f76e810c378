#pragma once
// The output of a program that a test holds hob against.

#include <string>

namespace hob::test {

struct command_output {
    std::string out;
    int status = 0;  // as waitpid(2) tells it
};

// Runs `command` by /bin/sh. Throws std::system_error if it cannot be started.
command_output run_command(const std::string& command);

// Likewise; the test case fails unless the command exits with 0.
std::string output_of(const std::string& command);

}  // namespace hob::test
