#include "util/fork.hpp"

#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "util/fd.hpp"

namespace hob::util {

pid_t fork_into_cgroup(int cgroup) {
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<__u64>(cgroup);
    return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

pid_t fork_sibling(int cgroup) {
    // The signal at its end is that of this process.
    clone_args arguments{};
    arguments.flags = CLONE_PARENT;
    if (cgroup >= 0) {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = static_cast<__u64>(cgroup);
        return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
    }
    return static_cast<pid_t>(::syscall(SYS_clone, CLONE_PARENT | SIGCHLD, nullptr, nullptr, nullptr, nullptr));
}

pid_t start_program(const char* path, char* const* argv, const std::function<bool()>& prepare) {
    pipe_ends outcome = make_pipe();
    const pid_t pid = ::fork();
    if (pid == 0) {
        if (prepare()) ::execvp(path, argv);
        const int error = errno;
        [[maybe_unused]] const auto n = ::write(outcome.write.get(), &error, sizeof error);
        ::_exit(127);
    }
    if (pid < 0) return pid;
    outcome.write.reset();
    int error = 0;
    while (::read(outcome.read.get(), &error, sizeof error) < 0 && errno == EINTR) {
    }
    if (error == 0) return pid;
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
    errno = error;
    return -1;
}

}  // namespace hob::util
