#include "unit/process/launch.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#include <boost/process/v2/posix/default_launcher.hpp>
#include <boost/process/v2/process.hpp>
#pragma GCC diagnostic pop

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <utility>

#include "error.hpp"
#include "unit/process/find_program.hpp"
#include "util/fd.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
namespace process = boost::process::v2;

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

    template <typename Launcher, typename Path>
    process::error_code on_exec_setup(Launcher&, const Path&, const char* const*(&)) {
        join_cgroup();
        return process::error_code(set_up(), boost::system::system_category());
    }

    // The launcher would call exit(), which runs the parent's atexit handlers and destructors. It checks for
    // a signature with five parameters and calls one with four.
    template <typename... Arguments>
    void on_exec_error(Arguments&&...) {
        ::_exit(127);
    }

    int failed(step which) const {
        const int saved = errno;
        report(which);
        errno = saved;  // the launcher reports errno
        return saved;
    }

private:
    void report(step which) const {
        const char byte = static_cast<char>(which);
        [[maybe_unused]] const auto n = ::write(report_fd, &byte, 1);
    }

    void join_cgroup() const {
        if (options.cgroup < 0) return;
        const int members = ::openat(options.cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (members >= 0 && ::write(members, "0", 1) == 1) report(step::cgroup);
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
        // Marked, not closed: the launcher's own error pipe must work until exec.
        if (::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return false;
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

// An exception between fork and exec must not unwind into the parent's code in a second process.
struct parent_only {
    pid_t parent = ::getpid();
    ~parent_only() {
        if (::getpid() != parent) ::_exit(127);
    }
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

// Creates the child in its cgroup. A child that moves there by itself blocks, and this process with it, for
// an RCU grace period: 10 ms and more. pid -1: the kernel does not permit it, and nothing was done.
launched launch_into_cgroup(const exec_setup& setup, const std::string& program, const char** argv,
                            const char* const* environment) {
    util::pipe_ends outcome = util::make_pipe();
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<__u64>(setup.options.cgroup);
    launched result;
    {
        const all_signals_blocked blocked;
        result.pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
        if (result.pid == 0) {
            int error = setup.set_up();
            if (error == 0) {
                ::execve(program.c_str(), const_cast<char**>(argv), const_cast<char* const*>(environment));
                error = errno;
            }
            [[maybe_unused]] const auto n = ::write(outcome.write.get(), &error, sizeof error);
            ::_exit(127);
        }
    }
    if (result.pid < 0) return result;
    result.in_cgroup = true;
    outcome.write.reset();
    while (::read(outcome.read.get(), &result.error, sizeof result.error) < 0 && errno == EINTR) {
    }
    return result;
}

launched launch_without_cgroup(exec_setup& setup, const std::string& program, const char** argv,
                               const char* const* environment) {
    process::posix::default_launcher launcher;
    launcher.env = environment;
    process::error_code error;
    {
        const all_signals_blocked blocked;
        const parent_only guard;
        // An io_context of its own: the launcher notifies the executor's context of the fork, and the
        // daemon's would needlessly register all its descriptors again in the child.
        asio::io_context launcher_context(1);
        try {
            auto started = launcher(launcher_context.get_executor(), error, program, argv, setup);
            if (!error) started.detach();  // else its destructor kills
        } catch (const std::exception& problem) {
            if (::getpid() != guard.parent) ::_exit(127);
            kill_and_reap(launcher.pid);
            fail_to_start(setup.options, problem.what());
        }
    }
    return {launcher.pid, error.value(), false};
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
    exec_setup setup{options, ::getpid(), null_fd.get(), report.write.get()};

    launched result;
    if (options.cgroup >= 0) result = launch_into_cgroup(setup, program, argv.data(), environment.data());
    if (result.pid < 0) result = launch_without_cgroup(setup, program, argv.data(), environment.data());
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
