#include "unit/process/child.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/exit_watch.hpp"
#include "unit/process/known_children.hpp"
#include "unit/process/launch.hpp"
#include "util/proc.hpp"
#include "util/process_handle.hpp"
#include "util/signal_name.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

exit_state exit_state_of(const siginfo_t& info) {
    exit_state exit;
    exit.signalled = info.si_code != CLD_EXITED;
    exit.number = info.si_status;
    exit.core = info.si_code == CLD_DUMPED;
    return exit;
}

}  // namespace

std::string exit_brief(const exit_state& exit) {
    return exit.signalled ? fmt::format("signal {}", exit.number) : std::to_string(exit.number);
}

std::string exit_text(const exit_state& exit) {
    if (!exit.signalled) return fmt::format("exited with status {}", exit.number);
    return fmt::format("was killed by signal {} ({}){}", exit.number, util::signal_name(exit.number),
                       exit.core ? ", core dumped" : "");
}

struct child::state {
    explicit state(const asio::any_io_executor& executor) : watch(executor) {}

    void hold(pid_t held) {
        pid = held;
        process = util::process_handle(held);
        watch.begin(process, held);
    }

    pid_t pid = 0;
    bool in_cgroup = false;
    std::uint64_t start_time = 0;
    util::process_handle process;
    exit_watch watch;
    std::optional<exit_state> exit;
    bool interrupted = false;
    bool reaped = false;
    std::optional<rusage> used;
};

child::child(const asio::any_io_executor& executor, const child_options& options)
    : state_(std::make_unique<state>(executor)) {
    const launched process = launch(options);
    state_->hold(process.pid);
    state_->in_cgroup = process.in_cgroup;
    if (const auto stat = util::read_proc_stat(state_->pid)) state_->start_time = stat->start_time;
    known_children().insert(state_->pid);
}

child::child(const asio::any_io_executor& executor, pid_t pid) : state_(std::make_unique<state>(executor)) {
    state_->hold(pid);
    const auto stat = util::read_proc_stat(pid);
    if (!state_->process || !stat)
        throw failure(error_kind::unit_failed, cannot("watch", std::to_string(pid)), "it has ended");
    state_->start_time = stat->start_time;
    known_children().insert(pid);
}

child::~child() {
    if (state_->reaped) return;
    if (!poll()) {
        signal_group(SIGKILL);
        signal(SIGKILL);
        // A process in uninterruptible sleep is left to the subreaper.
        state_->process.wait(util::deadline::in(limits::reap_timeout));
    }
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WEXITED | WNOHANG);
    known_children().erase(state_->pid);
}

pid_t child::pid() const { return state_->pid; }
bool child::in_cgroup() const { return state_->in_cgroup; }
std::uint64_t child::start_time() const { return state_->start_time; }

std::optional<exit_state> child::poll() const {
    if (state_->exit) return state_->exit;
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno != ECHILD || !state_->process.has_ended()) return std::nullopt;
        state_->exit = exit_state{};  // something else reaped it: its status is lost
        return state_->exit;
    }
    if (info.si_pid == 0) return std::nullopt;
    state_->exit = exit_state_of(info);
    return state_->exit;
}

asio::awaitable<std::optional<exit_state>> child::exited() {
    state_->interrupted = false;
    for (;;) {
        if (poll()) co_return state_->exit;
        co_await state_->watch.wait();
        if (state_->interrupted) co_return std::nullopt;
    }
}

void child::interrupt() {
    state_->interrupted = true;
    state_->watch.cancel();
}

void child::reap() {
    if (state_->reaped || !poll()) return;
    rusage used{};
    if (::wait4(state_->pid, nullptr, WNOHANG, &used) >= 0) state_->used = used;
    state_->reaped = true;
    known_children().erase(state_->pid);
}

const std::optional<rusage>& child::used() const { return state_->used; }

bool child::signal(int number) const {
    return state_->process.signal(number);
}

bool child::signal_group(int number) const { return !state_->reaped && ::kill(-state_->pid, number) == 0; }

}  // namespace hob::unit
