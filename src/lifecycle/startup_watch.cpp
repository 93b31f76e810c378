#include "lifecycle/startup_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "limits.hpp"

namespace hob::lifecycle {

startup_watch::startup_watch(const std::string& runtime_dir)
    : inotify_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    constexpr unsigned events =
        IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_CLOSE_WRITE | IN_DELETE_SELF;
    if (inotify_ && ::inotify_add_watch(inotify_.get(), runtime_dir.c_str(), events) < 0) inotify_.reset();
}

void startup_watch::wait(util::deadline limit) {
    const auto wake = limit.earlier(util::deadline::in(limits::look_again));
    if (!inotify_) {
        ::poll(nullptr, 0, wake.poll_timeout());
        return;
    }
    pollfd waiting{inotify_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, wake.poll_timeout()) <= 0) return;
    alignas(inotify_event) char events[4096];
    while (::read(inotify_.get(), events, sizeof events) > 0) {
    }
}

}  // namespace hob::lifecycle
