#include "unit/process/subreaper.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/signal_set.hpp>

#include "unit/process/known_children.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

bool reap_by_pid(pid_t pid) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

// From the kernel's list, or by ppid over all of /proc.
std::vector<pid_t> own_children() {
    const pid_t self = ::getpid();
    if (auto list = util::children_of(self)) return *list;
    std::vector<pid_t> found;
    for (const auto& process : util::all_processes()) {
        if (process.ppid == self && util::has_ended(process)) found.push_back(process.pid);
    }
    return found;
}

}  // namespace

std::unordered_set<pid_t>& known_children() {
    static std::unordered_set<pid_t> pids;
    return pids;
}

struct subreaper::state : std::enable_shared_from_this<subreaper::state> {
    explicit state(const boost::asio::any_io_executor& executor) : signals(executor, SIGCHLD) {}

    void wait() {
        signals.async_wait([self = shared_from_this()](const boost::system::error_code& error, int) {
            if (error) return;
            reap_orphans();
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

int subreaper::reap_orphans() {
    int reaped = 0;
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return reaped;
        if (known_children().contains(info.si_pid)) break;
        reaped += reap_by_pid(info.si_pid) ? 1 : 0;
    }
    // From now on P_ALL returns only the zombie of a `child`, whatever zombies come after it.
    for (const pid_t pid : own_children()) {
        if (!known_children().contains(pid)) reaped += reap_by_pid(pid) ? 1 : 0;
    }
    return reaped;
}

}  // namespace hob::unit
