#pragma once
// A client's connection between two requests, as one program hands it to the next one in the same process.

#include <sys/types.h>

#include <string>

#include "util/fd.hpp"

namespace hob::ipc {

struct carried_connection {
    util::unique_fd socket{};
    pid_t peer_pid = 0;  // of the process that connected
    bool subscribed = false;
    std::string input{};   // was read, and is not handled yet
    std::string output{};  // was not sent yet
};

}  // namespace hob::ipc
