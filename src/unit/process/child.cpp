#include "unit/process/child.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

#include <cerrno>
#include <climits>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/exit_watch.hpp"
#include "unit/process/known_children.hpp"
#include "unit/process/launch.hpp"
#include "unit/process/launch_failure.hpp"
#include "util/async.hpp"
#include "util/proc.hpp"
#include "util/process_handle.hpp"
#include "util/signal_name.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

exit_state exit_state_of(int code, int status) {
    exit_state exit;
    exit.signalled = code != CLD_EXITED;
    exit.number = status;
    exit.core = code == CLD_DUMPED;
    return exit;
}

// The target of the link; empty: it cannot be read.
std::string link_target(const std::string& link) {
    std::string target(PATH_MAX, '\0');
    const auto size = ::readlink(link.c_str(), target.data(), target.size());
    target.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return target;
}

// A process between fork and exec.
struct launch_in_progress {
    launch_in_progress(const asio::any_io_executor& executor, int fd, launch_names what)
        : pipe(executor, fd), names(std::move(what)) {}
    asio::posix::stream_descriptor pipe;
    launch_names names;
    std::optional<launch_report> failed;
};

}  // namespace

std::string exit_brief(const exit_state& exit) {
    return exit.signalled ? fmt::format("signal {}", exit.number) : std::to_string(exit.number);
}

std::string exit_text(const exit_state& exit) {
    if (!exit.killed_for.empty()) return "was killed: " + exit.killed_for;
    if (!exit.signalled) return fmt::format("exited with status {}", exit.number);
    return fmt::format("was killed by signal {} ({}){}", exit.number, util::signal_name(exit.number),
                       exit.core ? ", core dumped" : "");
}

std::string end_text(const std::optional<exit_state>& exit) {
    return exit ? exit_text(*exit) : "could not be ended";
}

struct child::state {
    explicit state(const asio::any_io_executor& executor) : watch(executor), told(executor) {}

    void hold(pid_t held) {
        pid = held;
        process = util::process_handle(held);
        watch.begin(process, held);
    }

    // The keeper tells of its end.
    void listen_to(lifecycle::keeper_link& its_keeper) {
        keeper = &its_keeper;
        its_keeper.watch(pid, [this] { told.ring(); });
    }

    // nullopt: it lives, or its end was not told yet.
    std::optional<exit_state> end_by_keeper() const {
        if (const auto end = keeper->end_of(pid)) return exit_state_of(end->code, end->status);
        // The keeper has taken what it held with it, by the parent-death signal.
        if (!keeper->alive() && process.has_ended()) return exit_state{true, SIGKILL, false};
        return std::nullopt;
    }

    // The end may be known. Throws on cancellation.
    asio::awaitable<void> await_end() {
        if (keeper && keeper->alive()) {
            co_await told.wait();
        } else {
            co_await watch.wait();
        }
    }

    pid_t pid = 0;
    bool in_cgroup = false;
    std::uint64_t start_time = 0;
    util::process_handle process;
    exit_watch watch;
    lifecycle::keeper_link* keeper = nullptr;  // its parent; nullptr: this process is
    lifecycle::keeper_link* link = nullptr;    // likewise, also if that is not its parent
    std::string held_key;                      // under which a keeper has its gate; empty: none has
    util::notifier told;                       // by the keeper
    std::optional<exit_state> exit;
    bool interrupted = false;
    bool reaped = false;
    std::optional<rusage> used;
    std::unique_ptr<launch_in_progress> launch;  // until the program runs, or has failed to
    std::unique_ptr<launch_in_progress> failed_launch;

    void begin_launch(const asio::any_io_executor& executor, const held_process& held, util::unique_fd report,
                      launch_names names) {
        if (held) {
            open_gate(report.get());
            link = held.keeper;
            held_key = held.key;
        }
        launch = std::make_unique<launch_in_progress>(executor, report.release(), std::move(names));
    }

    // Takes what the process has reported. True: the launch is over.
    bool read_launch() {
        while (launch) {
            launch_report report;
            const auto n = ::read(launch->pipe.native_handle(), &report, sizeof report);
            if (n < 0 && errno == EINTR) continue;
            if (n < 0 && errno == EAGAIN) return false;
            if (n != sizeof report) {
                auto over = std::move(launch);
                if (!held_key.empty()) link->close(std::exchange(held_key, {}), std::string(gate_role));
                if (over->failed) failed_launch = std::move(over);
            } else if (report.event == launch_event::joined_cgroup) {
                in_cgroup = true;
            } else {
                launch->failed = report;
            }
        }
        return true;
    }

    // False: interrupted. True also when something else has cancelled the wait. Throws on cancellation.
    asio::awaitable<bool> readable(asio::posix::stream_descriptor& descriptor) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await descriptor.async_wait(asio::posix::stream_descriptor::wait_read, token);
        if (interrupted) co_return false;
        const auto cancelled = co_await asio::this_coro::cancellation_state;
        if (cancelled.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
        co_return true;
    }
};

child::child(const asio::any_io_executor& executor, const child_options& options)
    : child(executor, options, held_process()) {}

child::child(const asio::any_io_executor& executor, const child_options& options, const held_process& held)
    : state_(std::make_unique<state>(executor)) {
    launch_names names{options.unit, options.cwd, options.argv.front(), program_candidates_of(options)};
    struct launched process = launch(options, names.candidates);
    state_->hold(process.pid);
    if (held) {
        auto descriptors = held.descriptors;
        descriptors.push_back({gate_role, process.report.get()});
        held.keeper->hold(held.key, descriptors, process.pid);
        if (process.is_sibling) state_->listen_to(*held.keeper);
    }
    state_->in_cgroup = process.in_cgroup;
    state_->begin_launch(executor, held, std::move(process.report), std::move(names));
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

child::child(const asio::any_io_executor& executor, pid_t pid, std::uint64_t start_time,
             const held_process& held, util::unique_fd gate, const child_options& options)
    : state_(std::make_unique<state>(executor)) {
    state_->hold(pid);
    state_->start_time = start_time;
    state_->in_cgroup = true;  // if there is one
    state_->listen_to(*held.keeper);
    known_children().insert(pid);
    if (!gate) return;
    state_->begin_launch(executor, held, std::move(gate),
                         {options.unit, options.cwd, options.argv.front(), program_candidates_of(options)});
}

child::~child() {
    if (state_->keeper) state_->keeper->unwatch(state_->pid);
    if (state_->reaped) return;
    if (state_->keeper && state_->keeper->goes_on()) {
        known_children().erase(state_->pid);
        return;
    }
    if (!poll()) {
        signal_group(SIGKILL);
        signal(SIGKILL);
    }
    // The subreaper reaps a process that has not ended yet.
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WEXITED | WNOHANG);
    known_children().erase(state_->pid);
}

pid_t child::pid() const { return state_->pid; }
bool child::in_cgroup() const { return state_->in_cgroup; }
std::uint64_t child::start_time() const { return state_->start_time; }

std::optional<exit_state> child::poll() const {
    if (state_->exit) return state_->exit;
    if (state_->keeper) return state_->exit = state_->end_by_keeper();
    siginfo_t info{};
    if (::waitid(P_PID, static_cast<id_t>(state_->pid), &info, WEXITED | WNOHANG | WNOWAIT) != 0) {
        if (errno != ECHILD || !state_->process.has_ended()) return std::nullopt;
        state_->exit = exit_state{};  // something else reaped it: its status is lost
        return state_->exit;
    }
    if (info.si_pid == 0) return std::nullopt;
    state_->exit = exit_state_of(info.si_code, info.si_status);
    return state_->exit;
}

asio::awaitable<bool> child::launched() {
    state_->interrupted = false;
    while (!state_->read_launch()) {
        const bool waited = co_await state_->readable(state_->launch->pipe);
        if (!waited) co_return false;
    }
    const auto failed = std::move(state_->failed_launch);
    if (!failed) co_return true;
    while (!poll()) {
        co_await exited();
    }
    reap();
    throw_launch_failure(failed->names, *failed->failed);
}

bool child::launching() { return !state_->read_launch(); }

// A new process is in this process's directory until it is in its own.
std::string child::blocked_by() {
    if (!launching()) return {};
    const launch_names& names = state_->launch->names;
    const auto directory = link_target(fmt::format("/proc/{}/cwd", state_->pid));
    if (directory != names.cwd && directory == link_target("/proc/self/cwd"))
        return fmt::format("its directory '{}' does not answer", names.cwd);
    return fmt::format("its program '{}' is not executed yet", names.program);
}

asio::awaitable<std::optional<exit_state>> child::exited() {
    state_->interrupted = false;
    while (!poll()) {
        co_await state_->await_end();
        if (state_->interrupted) co_return std::nullopt;
    }
    co_return state_->exit;
}

void child::interrupt() {
    state_->interrupted = true;
    state_->watch.cancel();
    state_->told.ring();
    boost::system::error_code ignored;
    if (state_->launch) state_->launch->pipe.cancel(ignored);
}

void child::reap() {
    if (state_->reaped || !poll()) return;
    rusage used{};
    if (state_->keeper) {
        if (const auto end = state_->keeper->end_of(state_->pid)) state_->used = end->used;
        state_->keeper->reap(state_->pid);
    } else if (::wait4(state_->pid, nullptr, WNOHANG, &used) >= 0) state_->used = used;
    state_->reaped = true;
    known_children().erase(state_->pid);
}

const std::optional<rusage>& child::used() const { return state_->used; }

bool child::signal(int number) const { return state_->process.signal(number); }

bool child::signal_group(int number) const { return !state_->reaped && ::kill(-state_->pid, number) == 0; }

}  // namespace hob::unit
