#pragma once
// Waiting for something to happen in the runtime dir, told by the kernel: a daemon publishing its page, a
// lock's holder closing the pid file, files coming and going.

#include <string>

#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

class startup_watch {
public:
    // Watches from here on: look once between construction and wait(), or an event is missed.
    explicit startup_watch(const std::string& runtime_dir);

    // Returns at the next event, at `limit`, or when it is time to look again anyway: the kernel tells of a
    // close just before it frees the closed file's lock, and inotify may not be to be had.
    void wait(util::deadline limit);

private:
    util::unique_fd inotify_;
};

// Waits until the process is gone or `limit` is over, by pidfd. True: gone.
bool wait_for_exit(int pidfd, util::deadline limit);

// A pidfd of `pid`; empty when there is no such process.
util::unique_fd open_pidfd(pid_t pid);

}  // namespace hob::lifecycle
