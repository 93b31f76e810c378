#include "unit/process/launch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>

#include "error.hpp"
#include "unit/process/find_program.hpp"
#include "util/close_range.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

enum class step : char { cgroup = 'c', prepare = 'p', directory = 'd', program = 'x' };

void reset_signals() {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; ++number)
        ::sigaction(number, &action, nullptr);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The child's steps between fork and exec: only calls that are safe there, no allocation. All signals are
// blocked from before the fork until the dispositions are default. Else a signal to the child would run the
// parent's handlers and reach the parent's event loop through the shared pipe.
struct exec_setup {
    const child_options& options;
    pid_t parent;
    int null_fd;
    int report_fd;  // gets one byte for each: the cgroup was joined, a step failed

    // 0, or errno.
    int set_up() const {
        if (!prepare()) return failed(step::prepare);
        if (::chdir(options.cwd.c_str()) != 0) return failed(step::directory);
        reset_signals();
        return 0;
    }

    void join_cgroup() const {
        if (options.cgroup < 0) return;
        const int members = ::openat(options.cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (members >= 0 && ::write(members, "0", 1) == 1) report(step::cgroup);
    }

    int failed(step which) const {
        const int saved = errno;
        report(which);
        return saved;
    }

private:
    void report(step which) const {
        const char byte = static_cast<char>(which);
        [[maybe_unused]] const auto n = ::write(report_fd, &byte, 1);
    }

    bool prepare() const {
        if (::setsid() < 0) return false;
        if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
        if (::getppid() != parent) ::_exit(127);  // it died before the prctl: the signal will never come
        const std::array standard{options.input, options.output, options.error};
        std::array<int, 3> high{};
        for (std::size_t i = 0; i < 3; ++i) {
            high[i] = ::fcntl(standard[i] < 0 ? null_fd : standard[i], F_DUPFD_CLOEXEC, 3);
            if (high[i] < 0) return false;
        }
        for (std::size_t i = 0; i < 3; ++i) {
            if (::dup2(high[i], static_cast<int>(i)) < 0) return false;
        }
        if (options.terminal && ::ioctl(0, TIOCSCTTY, 0) != 0) return false;
        // Marked, not closed: the pipe for the outcome must work until exec.
        util::set_cloexec_from(3);
        if (options.nofile && ::setrlimit(RLIMIT_NOFILE, &*options.nofile) != 0) return false;
        if (::getpriority(PRIO_PROCESS, 0) != 0) ::setpriority(PRIO_PROCESS, 0, 0);
        ::umask(options.umask);
        return true;
    }
};

// Blocks every signal for its lifetime, in this thread.
class all_signals_blocked {
public:
    all_signals_blocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    all_signals_blocked(const all_signals_blocked&) = delete;
    all_signals_blocked& operator=(const all_signals_blocked&) = delete;

private:
    sigset_t before_;
};

std::vector<const char*> pointers(const std::vector<std::string>& strings) {
    std::vector<const char*> result;
    result.reserve(strings.size() + 1);
    for (const auto& text : strings)
        result.push_back(text.c_str());
    result.push_back(nullptr);
    return result;
}

[[noreturn]] void throw_start_failure(const child_options& options, const std::string& program, step failed,
                                      int error) {
    if (failed == step::directory) {
        fail_to_start(options, fmt::format("its directory '{}': {}", options.cwd, errno_text(error)));
    }
    if (failed == step::prepare) {
        fail_to_start(options, fmt::format("its process could not be set up: {}", errno_text(error)));
    }
    const std::string path = program.starts_with('/') ? program : options.cwd + "/" + program;
    if (error == ENOENT && ::access(path.c_str(), F_OK) == 0) {
        fail_to_start(options, fmt::format("the interpreter that '{}' names does not exist", program), {},
                      exit_no_program);
    }
    if (error == ENOEXEC) {
        fail_to_start(options, fmt::format("its program '{}': {}", program, errno_text(error)),
                      "a script needs a first line such as #!/bin/sh", exit_not_executable);
    }
    fail_to_start(options, fmt::format("its program '{}': {}", program, errno_text(error)), {},
                  error == ENOENT ? exit_no_program : exit_not_executable);
}

// In its cgroup from the start, where the kernel permits that. A child that moves there by itself blocks, and
// this process with it, for an RCU grace period: 10 ms and more.
launched fork_child(const child_options& options) {
    launched child;
    if (options.cgroup >= 0) child.pid = util::fork_into_cgroup(options.cgroup);
    child.in_cgroup = child.pid >= 0;
    if (child.pid < 0) child.pid = ::fork();
    return child;
}

// Returns once the program runs or has failed to. pid -1: no process could be made.
launched fork_and_execute(const exec_setup& setup, const std::string& program, const char** argv,
                          const char* const* environment) {
    util::pipe_ends outcome = util::make_pipe();
    launched result;
    {
        const all_signals_blocked blocked;
        result = fork_child(setup.options);
        if (result.pid == 0) {
            if (!result.in_cgroup) setup.join_cgroup();
            int error = setup.set_up();
            if (error == 0) {
                ::execve(program.c_str(), const_cast<char**>(argv), const_cast<char* const*>(environment));
                error = errno;
            }
            [[maybe_unused]] const auto n = ::write(outcome.write.get(), &error, sizeof error);
            ::_exit(127);
        }
        if (result.pid < 0) result.error = errno;
    }
    if (result.pid < 0) return result;
    outcome.write.reset();
    while (::read(outcome.read.get(), &result.error, sizeof result.error) < 0 && errno == EINTR) {
    }
    return result;
}

}  // namespace

void fail_to_start(const child_options& options, const std::string& reason, std::string hint, int exit) {
    throw failure(error_kind::unit_failed, cannot("start", options.unit), reason, std::move(hint),
                  exit == 0 ? std::string() : util::json_object().add("exit", exit).text());
}

void kill_and_reap(pid_t pid) {
    if (pid <= 0) return;
    ::kill(pid, SIGKILL);
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED) != 0 && errno == EINTR) {
    }
}

launched launch(const child_options& options) {
    const std::string program = find_program(options);
    auto argv = pointers(options.argv);
    const auto environment = pointers(options.environment);
    const util::unique_fd null_fd = util::open_file("/dev/null", O_RDWR);
    if (!null_fd) throw denied("open", "/dev/null", errno);
    util::pipe_ends report = util::make_pipe();
    const exec_setup setup{options, ::getpid(), null_fd.get(), report.write.get()};

    launched result = fork_and_execute(setup, program, argv.data(), environment.data());
    report.write.reset();
    std::array<char, 2> reported{};
    const auto count = result.pid > 0 ? ::read(report.read.get(), reported.data(), reported.size()) : 0;
    step failed = result.pid > 0 ? step::program : step::prepare;
    for (std::size_t i = 0; std::cmp_less(i, count); ++i) {
        const step which{reported[i]};
        if (which == step::cgroup) {
            result.in_cgroup = true;
        } else {
            failed = which;
        }
    }
    if (result.error == 0) return result;
    kill_and_reap(result.pid);  // a failed exec leaves a zombie
    throw_start_failure(options, program, failed, result.error);
}

}  // namespace hob::unit
