#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <memory>

namespace hob::unit {

// Reaps orphans: the daemon is a subreaper, so a process that a unit leaves behind becomes the daemon's
// child. SIGCHLD starts a scan that reaps them by pid. Processes of `child` objects are left alone.
class subreaper {
public:
    // Sets PR_SET_CHILD_SUBREAPER and installs the handler of SIGCHLD.
    explicit subreaper(const boost::asio::any_io_executor& executor);
    ~subreaper();
    subreaper(const subreaper&) = delete;
    subreaper& operator=(const subreaper&) = delete;

    // Reaps the zombies among the unknown children; returns how many. The handler of SIGCHLD calls it.
    static int reap_orphans();

private:
    struct state;
    std::shared_ptr<state> state_;  // also held by the handler that waits for SIGCHLD
};

}  // namespace hob::unit
