#pragma once
// Waits for changes in the runtime directory by inotify: a daemon publishes its page, a lock's holder closes
// the pid file, files are made or removed.

#include <string>

#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

class startup_watch {
public:
    // Watches from here on. Check the state once between construction and wait(): earlier changes are not
    // reported.
    explicit startup_watch(const std::string& runtime_dir);

    // Returns at the next event, at `limit`, or after limits::look_again: the kernel reports a close just
    // before it releases the closed file's lock, and inotify may not be available.
    void wait(util::deadline limit);

private:
    util::unique_fd inotify_;
};

}  // namespace hob::lifecycle
