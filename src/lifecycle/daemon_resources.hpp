#pragma once
// The private parts of a daemon, for the files that implement it: daemon.cpp (start and life),
// daemon_methods.cpp (the wire) and daemon_end.cpp (shutdown).

#include <boost/asio/signal_set.hpp>
#include <optional>

#include "ipc/status_page.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/runtime_files_watch.hpp"
#include "lifecycle/state_lock.hpp"
#include "util/timer.hpp"

namespace hob::lifecycle {

struct daemon::resources {
    explicit resources(const boost::asio::any_io_executor& executor)
        : signals(executor), idle_timer(executor), watchdog_timer(executor) {}

    lifecycle::state_lock state_lock;
    util::unique_fd runtime_hold;  // a shared flock on a runtime dir under /tmp, so that systemd-tmpfiles
                                   // does not clean it
    util::unique_fd listening;     // from bind to listen
    std::optional<file_identity> socket;
    std::optional<file_identity> root;
    std::uint64_t start_time = 0;
    std::optional<ipc::status_page> page;
    std::optional<lifecycle::runtime_files_watch> runtime_files_watch;
    boost::asio::signal_set signals;
    util::timer idle_timer;
    util::timer watchdog_timer;  // of the service manager
    // The socket belongs to a service manager: it is never unlinked, and clients are accepted to the end.
    bool socket_is_handed = false;
};

}  // namespace hob::lifecycle
