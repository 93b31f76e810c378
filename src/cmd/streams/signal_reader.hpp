#pragma once
// Signals for a client that waits in its own poll(2).

#include <signal.h>

#include "util/fd.hpp"

namespace hob::cmd {

// While it lives, SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGWINCH are blocked and read from a descriptor.
class signal_reader {
public:
    signal_reader();
    ~signal_reader();
    signal_reader(const signal_reader&) = delete;
    signal_reader& operator=(const signal_reader&) = delete;

    int fd() const { return fd_.get(); }
    int next();  // 0: none

private:
    sigset_t before_;
    util::unique_fd fd_;
};

}  // namespace hob::cmd
