#include "lifecycle/start_keeper.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "error.hpp"
#include "identity.hpp"
#include "keeper/keeper.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/successor.hpp"
#include "limits.hpp"
#include "util/fork.hpp"
#include "util/log/log.hpp"
#include "util/nul_list.hpp"
#include "util/signal_name.hpp"

namespace hob::lifecycle {
namespace {

constexpr const char* own_program = "/proc/self/exe";

// What the keeper needs to execute the next daemon.
struct next_daemon {
    std::string path = own_program_path();
    std::vector<std::string> arguments = own_arguments();  // of the first daemon, as of each later one
    std::vector<std::string> environment;
    rlimit nofile;

    // By its path, so that a program that was replaced is the next one; every other attempt by the file that
    // was executed before.
    pid_t start(int socket, const keeper::daemon_program& program, int attempt) const {
        const std::string by_path(program.path.empty() ? std::string_view(path) : program.path);
        const std::string by_file =
            program.executable >= 0 ? fmt::format("/proc/self/fd/{}", program.executable) : own_program;
        const pid_t pid = attempt % 2 == 0 && !by_path.empty() ? execute(by_path, socket, program) : -1;
        return pid > 0 ? pid : execute(by_file, socket, program);
    }

    pid_t execute(const std::string& program, int socket, const keeper::daemon_program& as) const {
        std::vector<std::string> handed =
            as.environment >= 0 ? util::split_nul_list(whole_file(as.environment).value_or("")) : environment;
        handed.push_back(fmt::format("{}={}", this_program.variables.keeper, socket));
        std::vector<char*> argv, variables;
        for (const auto& argument : arguments)
            argv.push_back(const_cast<char*>(argument.c_str()));
        argv.push_back(nullptr);
        for (auto& variable : handed)
            variables.push_back(variable.data());
        variables.push_back(nullptr);
        return util::start_program(program.c_str(), argv.data(), [&] {
            environ = variables.data();
            sigset_t none;
            ::sigemptyset(&none);
            ::sigprocmask(SIG_SETMASK, &none, nullptr);
            ::signal(SIGPIPE, SIG_DFL);
            return ::setrlimit(RLIMIT_NOFILE, &nofile) == 0 && ::fcntl(socket, F_SETFD, 0) == 0;
        });
    }
};

failure death(const instance& where, int status) {
    const std::string how = WIFSIGNALED(status)
                                ? fmt::format("it was killed by signal {} ({})", WTERMSIG(status),
                                              util::signal_name(WTERMSIG(status)))
                                : fmt::format("it exited with status {}", WEXITSTATUS(status));
    return failure(error_kind::start_failed, cannot("keep the daemon of", where.root, "alive"), how,
                   "its log is " + where.daemon_log_path());
}

[[noreturn]] void be_keeper(const instance& where, const caller_settings& caller, pid_t daemon,
                            util::unique_fd socket) {
    const next_daemon next{.environment = caller.environment, .nofile = caller.nofile};
    keeper::keeper_options options;
    options.daemon = daemon;
    options.socket = std::move(socket);
    options.start_daemon = [&next](int fd, const keeper::daemon_program& program, int attempt) {
        return next.start(fd, program, attempt);
    };
    options.program_key = program_key;
    options.crash_count = limits::crash_loop_count;
    options.short_life = limits::crash_loop_window;
    options.pause = limits::crash_loop_window;
    options.on_crash_loop = [&where](int status) { write_crash_loop(where, death(where, status)); };
    options.listening_key = socket_key;
    options.kill_after = limits::stop_timeout;
    keeper::end_like(keeper::run(std::move(options)));
}

// The descriptor that the variable names, if its other end is the parent of this process.
util::unique_fd socket_of_parent(const char* text) {
    int fd = -1;
    const char* end = text + std::strlen(text);
    const auto [parsed, error] = std::from_chars(text, end, fd);
    if (error != std::errc() || parsed != end || fd < 3) return {};
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return {};
    if (peer.uid != ::geteuid() || peer.pid != ::getppid()) return {};
    return util::unique_fd(fd);
}

}  // namespace

keeper_handle fork_from_keeper(const instance& where, const caller_settings& caller, int lock, int outcome) {
    keeper::socket_pair pair;
    try {
        pair = keeper::make_socket_pair();
    } catch (const failure&) {
        return {};
    }
    sigset_t all, before;
    ::sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before);
    const pid_t keeper = ::getpid();
    const pid_t daemon = ::fork();
    if (daemon > 0) {
        ::close(lock);
        if (outcome >= 0) ::close(outcome);
        pair.daemon.reset();
        be_keeper(where, caller, daemon, std::move(pair.keeper));
    }
    const int error = errno;
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    if (daemon < 0) {
        errno = error;
        return {};
    }
    keeper_handle handle;
    handle.pid = keeper;
    handle.socket = std::move(pair.daemon);
    return handle;
}

bool is_started_by_keeper() { return std::getenv(this_program.variables.keeper) != nullptr; }

std::optional<keeper_handle> inherited_keeper() {
    const char* const variable = this_program.variables.keeper;
    const char* const text = std::getenv(variable);
    if (!text) return std::nullopt;
    keeper_handle handle;
    handle.socket = socket_of_parent(text);
    ::unsetenv(variable);
    if (!handle.socket) return std::nullopt;
    util::set_cloexec(handle.socket.get(), true);
    handle.pid = ::getppid();
    handle.is_successor = true;
    return handle;
}

void take_over(daemon_options& options, keeper_handle keeper, bool detach) {
    options.caller = read_caller_settings();
    const int keep[] = {keeper.socket.get()};
    daemonize(options.caller, keep, detach);
    try {
        read_held(keeper);
    } catch (const failure& why) {
        util::log_setup(
            {.program = this_program.name, .file = options.where.daemon_log_path(), .levels = {}});
        util::log(util::level::error, "lifecycle", "daemon failed",
                  {util::field("reason", why.what()), util::field("hint", why.hint())});
        throw;
    }
    options.keeper = std::move(keeper);
}

void resume_lock(daemon_options& options) {
    held_entry* const held = options.keeper.find(lock_key);
    options.lock =
        instance_lock::adopt(held ? held->take(lock_key) : util::unique_fd(), options.where.pid_path());
}

}  // namespace hob::lifecycle
