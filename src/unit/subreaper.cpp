#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>

#include <charconv>
#include <string>

#include "unit/child.hpp"
#include "unit/known_children.hpp"
#include "util/fd.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t children_file_max = 1u << 20;

bool reap_by_pid(pid_t pid) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

// Children of this process. The kernel's own list may not exist (CONFIG_PROC_CHILDREN): then by ppid over
// /proc.
std::vector<pid_t> own_children() {
    std::vector<pid_t> found;
    if (const auto list = util::read_file("/proc/thread-self/children", children_file_max)) {
        const char* at = list->data();
        const char* const end = at + list->size();
        while (at < end) {
            pid_t pid = 0;
            const auto [next, error] = std::from_chars(at, end, pid);
            if (error == std::errc{}) found.push_back(pid);
            at = next + 1;
        }
        return found;
    }
    const pid_t self = ::getpid();
    for (const auto& process : util::all_processes()) {
        if (process.ppid == self && process.state == 'Z') found.push_back(process.pid);
    }
    return found;
}

}  // namespace

std::set<pid_t>& known_children() {
    static std::set<pid_t> pids;
    return pids;
}

struct subreaper::state : std::enable_shared_from_this<subreaper::state> {
    explicit state(const boost::asio::any_io_executor& executor) : signals(executor, SIGCHLD) {}

    void wait() {
        signals.async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
            if (error) return;
            reap_strangers();
            self->wait();
        });
    }

    boost::asio::signal_set signals;
};

subreaper::subreaper(const boost::asio::any_io_executor& executor)
    : state_(std::make_shared<state>(executor)) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    state_->wait();
}

subreaper::~subreaper() {
    boost::system::error_code ignored;
    state_->signals.cancel(ignored);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int subreaper::reap_strangers() {
    int reaped = 0;
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return reaped;
        if (known_children().contains(info.si_pid)) break;
        reaped += reap_by_pid(info.si_pid) ? 1 : 0;
    }
    // A known zombie is all that this question returns from now on, whatever stands behind it.
    for (const pid_t pid : own_children()) {
        if (!known_children().contains(pid)) reaped += reap_by_pid(pid) ? 1 : 0;
    }
    return reaped;
}

}  // namespace hob::unit
