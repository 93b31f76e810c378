#include "harness/background.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace hob::test {
namespace {

using clock = std::chrono::steady_clock;

struct child_plan {
    std::vector<char*> argv;
    std::vector<char*> envp;
    const char* program;
    const char* cwd;
    int in;
    int out;
    int err;
    const run_options* options;
    std::optional<uid_t> uid;
};

[[noreturn]] void fail_in_child(const char* what) {
    const int saved = errno;
    ::dprintf(2, "harness: cannot %s: errno %d\n", what, saved);
    ::_exit(127);
}

// dup2 that clears close-on-exec also when both numbers are equal.
void move_descriptor(int fd, int target) {
    if (fd == target) {
        ::fcntl(fd, F_SETFD, 0);
    } else if (::dup2(fd, target) < 0) {
        fail_in_child("dup2");
    }
}

[[noreturn]] void exec_child(const child_plan& plan) {
    ::setpgid(0, 0);
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    move_descriptor(plan.in, 0);
    if (plan.options->close_stdout) {
        ::close(1);
    } else {
        move_descriptor(plan.out, 1);
    }
    for (const auto& [number, ours] : plan.options->fds)
        move_descriptor(ours, number);
    if (plan.options->close_stderr) {
        ::close(2);
    } else {
        move_descriptor(plan.err, 2);
    }
    if (plan.uid) {
        if (::setgroups(0, nullptr) != 0 || ::setgid(*plan.uid) != 0 || ::setuid(*plan.uid) != 0) {
            fail_in_child("change the user");
        }
    }
    if (::chdir(plan.cwd) != 0) fail_in_child("chdir");
    if (plan.options->in_child) plan.options->in_child();
    ::execve(plan.program, plan.argv.data(), plan.envp.data());
    fail_in_child("exec");
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> result;
    for (auto& text : strings)
        result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

// Appends the bytes that `fd` has ready. False: end of file.
bool drain(int fd, std::string& into) {
    char chunk[65536];
    const ssize_t n = ::read(fd, chunk, sizeof chunk);
    if (n < 0) return errno == EINTR || errno == EAGAIN;
    into.append(chunk, static_cast<std::size_t>(n));
    return n > 0;
}

}  // namespace

std::string outcome::text() const {
    return "status " + std::to_string(status) + ", signal " + std::to_string(signal) + ", after " +
           std::to_string(elapsed.count()) + " ms\n--- stdout\n" + out + "\n--- stderr\n" + err + "\n---";
}

std::unique_ptr<background::state> spawn_state(spawn_plan plan) {
    auto in = util::make_pipe();
    auto out = util::make_pipe();
    auto err = util::make_pipe();
    auto argv = pointers(plan.argv);
    auto envp = pointers(plan.env);
    child_plan child{argv,
                     envp,
                     plan.program.c_str(),
                     plan.cwd.c_str(),
                     in.read.get(),
                     out.write.get(),
                     err.write.get(),
                     &plan.options,
                     plan.uid};
    auto result = std::make_unique<background::state>();
    result->name = plan.argv.size() > 1 ? plan.argv[0] + " " + plan.argv[1] : plan.argv[0];
    result->started = clock::now();
    const pid_t pid = ::fork();
    if (pid < 0) throw test_failure("cannot fork");
    if (pid == 0) exec_child(child);
    ::setpgid(pid, pid);
    result->pid = pid;
    result->out = std::move(out.read);
    result->err = std::move(err.read);
    util::set_nonblocking(result->out.get(), true);
    util::set_nonblocking(result->err.get(), true);
    if (plan.options.input) {
        result->input = *plan.options.input;
        util::set_nonblocking(in.write.get(), true);
    }
    if (plan.options.input || plan.options.keep_stdin) result->in = std::move(in.write);
    return result;
}

background::background(std::unique_ptr<state> running) : state_(std::move(running)) {}
background::background(background&&) noexcept = default;
background& background::operator=(background&&) noexcept = default;

background::~background() {
    if (state_) kill_and_reap();
}

pid_t background::pid() const { return state_->pid; }

bool background::state::reap(int flags) {
    if (reaped) return true;
    int raw = 0;
    pid_t reaped_pid;
    do {
        reaped_pid = ::waitpid(pid, &raw, flags);
    } while (reaped_pid < 0 && errno == EINTR);
    if (reaped_pid == 0) return false;
    reaped = true;
    result.elapsed = std::chrono::duration_cast<milliseconds>(clock::now() - started);
    if (WIFEXITED(raw)) result.status = WEXITSTATUS(raw);
    if (WIFSIGNALED(raw)) result.signal = WTERMSIG(raw);
    return true;
}

void background::state::pump(milliseconds wait) {
    pollfd fds[3]{{out ? out.get() : -1, POLLIN, 0},
                  {err ? err.get() : -1, POLLIN, 0},
                  {in && !input.empty() ? in.get() : -1, POLLOUT, 0}};
    if (::poll(fds, 3, static_cast<int>(wait.count())) <= 0) return;
    if (fds[0].revents != 0 && !drain(out.get(), result.out)) out.reset();
    if (fds[1].revents != 0 && !drain(err.get(), result.err)) err.reset();
    if (fds[2].revents != 0) {
        const ssize_t n = ::write(in.get(), input.data(), input.size());
        if (n > 0) input.erase(0, static_cast<std::size_t>(n));
        if (n < 0 && errno != EAGAIN && errno != EINTR) input.clear();
        if (input.empty()) in.reset();
    }
}

bool background::running() { return !state_->reap(WNOHANG); }

void background::signal(int number) {
    if (!state_->reap(WNOHANG)) ::kill(state_->pid, number);
}

void background::signal_group(int number) { ::kill(-state_->pid, number); }

void background::kill_and_reap() {
    if (!state_->reaped) {
        ::kill(-state_->pid, SIGKILL);
        ::kill(state_->pid, SIGKILL);
        state_->reap(0);
    }
}

std::optional<std::string> background::read_line(milliseconds limit) {
    const auto end = clock::now() + limit;
    for (;;) {
        auto& text = state_->result.out;
        if (const auto newline = text.find('\n', state_->line_start); newline != std::string::npos) {
            std::string line = text.substr(state_->line_start, newline - state_->line_start);
            state_->line_start = newline + 1;
            return line;
        }
        if (!state_->out) return std::nullopt;
        const auto left = std::chrono::duration_cast<milliseconds>(end - clock::now());
        if (left <= 0ms)
            throw test_failure(state_->name + " printed no line in time; so far: " + state_->result.text());
        state_->pump(left);
    }
}

void background::write_line(std::string_view line) {
    std::string bytes(line);
    bytes += '\n';
    if (!util::write_all(state_->in.get(), bytes)) throw test_failure("cannot write to " + state_->name);
}

void background::close_stdin() { state_->in.reset(); }

outcome background::wait(milliseconds limit) {
    const auto end = clock::now() + limit;
    if (state_->input.empty()) state_->in.reset();
    while (state_->out || state_->err || !state_->reap(WNOHANG)) {
        const auto left = std::chrono::duration_cast<milliseconds>(end - clock::now());
        if (left <= 0ms) {
            const std::string why = state_->reap(WNOHANG) ? " has ended, but its output is still held open"
                                                          : " did not end in time";
            ::kill(-state_->pid, SIGKILL);
            kill_and_reap();
            throw test_failure(state_->name + why + ": " + state_->result.text());
        }
        // Once reaped, wait only for the ends of file; otherwise check the process again soon.
        state_->pump(state_->out || state_->err ? std::min(left, state_->reap(WNOHANG) ? left : 20ms) : 0ms);
        if (!state_->out && !state_->err && !state_->reap(WNOHANG)) ::usleep(200);
    }
    return state_->result;
}

}  // namespace hob::test
