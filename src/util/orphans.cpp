#include "util/orphans.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "util/proc.hpp"

namespace hob::util {
namespace {

bool reap_by_pid(pid_t pid) {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) == 0 && info.si_pid == pid;
}

// From the kernel's list, or by ppid over all of /proc.
std::vector<pid_t> own_children() {
    const pid_t self = ::getpid();
    if (auto list = children_of(self)) return *list;
    std::vector<pid_t> found;
    for (const auto& process : all_processes()) {
        if (process.ppid == self && has_ended(process)) found.push_back(process.pid);
    }
    return found;
}

}  // namespace

int reap_children_except(const std::function<bool(pid_t)>& spare) {
    int reaped = 0;
    for (;;) {
        siginfo_t info{};
        if (::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) return reaped;
        if (spare(info.si_pid)) break;
        reaped += reap_by_pid(info.si_pid) ? 1 : 0;
    }
    // From now on P_ALL returns only the zombie of a spared process, whatever zombies come after it.
    for (const pid_t pid : own_children()) {
        if (!spare(pid)) reaped += reap_by_pid(pid) ? 1 : 0;
    }
    return reaped;
}

}  // namespace hob::util
