#include "unit/process/launch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#pragma GCC diagnostic ignored "-Wshadow"
#include <boost/process/v2/posix/default_launcher.hpp>
#pragma GCC diagnostic pop

#include <array>
#include <cerrno>
#include <string>
#include <utility>
#include <vector>

#include "error.hpp"
#include "unit/process/launch_failure.hpp"
#include "util/close_range.hpp"
#include "util/fd.hpp"
#include "util/fork.hpp"

namespace hob::unit {
namespace {

namespace process = boost::process::v2;

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
// parent's handlers and reach the parent's event loop through the shared pipe. What the child inherited is
// closed, and signals end it, before the first step that can block.
struct exec_setup {
    const child_options& options;
    const program_candidates& candidates;
    pid_t parent;
    int null_fd;
    int report_fd;
    bool gated = false;  // it waits until its keeper holds it
    bool dies_with_parent = true;
    int candidate = 0;

    // For the launcher, as initializers of Boost.Process.
    template <typename Launcher, typename Path>
    process::error_code on_exec_setup(Launcher& launcher, const Path&, const char* const*(&)) noexcept {
        if (!launcher.in_cgroup) join_cgroup();
        if (!prepare()) return failed(launch_event::not_set_up, -1);
        reset_signals();
        if (::chdir(options.cwd.c_str()) != 0) return failed(launch_event::no_directory, -1);
        if (!candidates.searched.empty()) {
            const found_program found = find_program(candidates.paths);
            if (!found.executable) return failed(launch_event::not_found, found.index);
            candidate = found.index;
        }
        launcher.program = candidates.paths[static_cast<std::size_t>(candidate)].c_str();
        return {};
    }

    template <typename Launcher, typename Path>
    void on_exec_error(Launcher& launcher, const Path&, const char* const*(&),
                       const process::error_code& error) noexcept {
        const bool exists = error.value() == ENOENT && ::access(launcher.program, F_OK) == 0;
        errno = error.value();
        failed(exists ? launch_event::no_interpreter : launch_event::not_executed, candidate);
    }

private:
    process::error_code failed(launch_event event, int which) const {
        const int error = errno;
        report({event, error, which});
        return process::error_code(error, boost::system::system_category());
    }

    void report(const launch_report& what) const {
        [[maybe_unused]] const auto n = ::write(report_fd, &what, sizeof what);
    }

    void join_cgroup() const {
        if (options.cgroup < 0) return;
        const int members = ::openat(options.cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (members >= 0 && ::write(members, "0", 1) == 1) report({launch_event::joined_cgroup, 0, -1});
    }

    bool prepare() {
        if (::setsid() < 0) return false;
        if (dies_with_parent && ::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return false;
        if (::getppid() != parent) ::_exit(127);  // it died before the prctl: the signal will never come
        const bool complete = take_descriptors();
        const int error = errno;
        if (gated) await_gate();  // also if it fails: its end counts only once the keeper holds it
        errno = error;
        if (!complete) return false;
        if (options.terminal && ::ioctl(STDOUT_FILENO, TIOCSCTTY, 0) != 0) return false;
        if (options.nofile && ::setrlimit(RLIMIT_NOFILE, &*options.nofile) != 0) return false;
        for (const auto& limit : options.limits) {
            if (!util::set_resource_limit(limit)) return false;
        }
        if (::getpriority(PRIO_PROCESS, 0) != 0) ::setpriority(PRIO_PROCESS, 0, 0);
        ::umask(options.umask);
        return true;
    }

    // A daemon that dies before it has handed this process to the keeper leaves none behind.
    void await_gate() const {
        char opened = 0;
        ssize_t n = 0;
        do {
            n = ::read(report_fd, &opened, 1);
        } while (n < 0 && errno == EINTR);
        if (n != 1) ::_exit(127);
    }

    // Its standard descriptors, then the report; everything else is closed.
    bool take_descriptors() {
        const std::array standard{options.input, options.output, options.error};
        std::array<int, 3> high{};
        for (std::size_t i = 0; i < 3; ++i) {
            high[i] = ::fcntl(standard[i] < 0 ? null_fd : standard[i], F_DUPFD_CLOEXEC, 3);
            if (high[i] < 0) return false;
        }
        for (std::size_t i = 0; i < 3; ++i) {
            if (::dup2(high[i], static_cast<int>(i)) < 0) return false;
        }
        constexpr int report_place = 3;
        if (report_fd != report_place && ::dup3(report_fd, report_place, O_CLOEXEC) < 0) return false;
        report_fd = report_place;
        constexpr std::array kept{report_place};
        util::close_descriptors_except(kept);
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

// A launcher of Boost.Process. The one that it is made from waits until the program runs, which may never
// happen, and exits by way of the parent's atexit handlers.
struct unit_launcher : process::posix::default_launcher {
    int cgroup = -1;
    bool in_cgroup = false;
    bool is_sibling = false;  // a child of this process's parent
    const char* program = nullptr;

    template <typename Init>
    process::error_code operator()(const process::filesystem::path& executable, const char* const* argv,
                                   Init& init) {
        const all_signals_blocked blocked;
        make_process(init);
        if (pid < 0) return process::error_code(errno, boost::system::system_category());
        if (pid > 0) return {};
        if (!init.on_exec_setup(*this, executable, argv)) {
            ::execve(program, const_cast<char**>(argv), const_cast<char* const*>(env));
            init.on_exec_error(*this, executable, argv,
                               process::error_code(errno, boost::system::system_category()));
        }
        ::_exit(127);
    }

private:
    // A process that moves into its cgroup by itself is blocked for an RCU grace period: 10 ms and more.
    template <typename Init>
    void make_process(Init& init) {
        if (is_sibling) {
            pid = cgroup < 0 ? -1 : util::fork_sibling(cgroup);
            in_cgroup = pid >= 0;
            if (pid < 0) pid = util::fork_sibling(-1);
            if (pid >= 0) return;
            // As under an emulator: it becomes the keeper's child at this process's death.
            is_sibling = false;
            init.parent = ::getpid();
            init.dies_with_parent = false;
        }
        pid = cgroup < 0 ? -1 : util::fork_into_cgroup(cgroup);
        in_cgroup = pid >= 0;
        if (pid < 0) pid = ::fork();
    }
};

// Both ends report; the gate is opened through them. Without a keeper a pipe does.
util::pipe_ends make_report(bool gated) {
    if (!gated) return util::make_pipe();
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        throw denied("make", "a socket pair", errno);
    return {util::unique_fd(ends[0]), util::unique_fd(ends[1])};
}

}  // namespace

void open_gate(int report) {
    // Should it have ended already, the report says so.
    [[maybe_unused]] const auto n = ::send(report, "", 1, MSG_NOSIGNAL);
}

launched launch(const child_options& options, const program_candidates& candidates) {
    const auto argv = pointers(options.argv);
    const auto environment = pointers(options.environment);
    const util::unique_fd null_fd = util::open_file("/dev/null", O_RDWR);
    if (!null_fd) throw denied("open", "/dev/null", errno);
    const bool kept = options.keeper != 0;
    util::pipe_ends report = make_report(kept);
    util::set_nonblocking(report.read.get(), true);
    exec_setup setup{options, candidates, kept ? options.keeper : ::getpid(), null_fd.get(),
                     report.write.get()};
    setup.gated = kept;
    unit_launcher launcher;
    launcher.is_sibling = kept;
    launcher.env = environment.data();
    launcher.cgroup = options.cgroup;
    const auto error = launcher(candidates.paths.front(), argv.data(), setup);
    if (error) fail_to_start(options.unit, "its process could not be made: " + errno_text(error.value()));
    return {launcher.pid, std::move(report.read), launcher.in_cgroup, launcher.is_sibling};
}

}  // namespace hob::unit
