#include "cmd/core/foreground.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <fmt/format.h>

#include <cerrno>
#include <span>
#include <utility>

#include "cmd/core/foreground_output.hpp"
#include "cmd/core/output.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/daemonize.hpp"
#include "lifecycle/handed_socket.hpp"
#include "lifecycle/probe.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/start_keeper.hpp"
#include "lifecycle/startup_watch.hpp"
#include "limits.hpp"

namespace hob::cmd {
namespace {

// The original stays with the caller, which needs it if the start fails.
util::unique_fd copy_of(const lifecycle::handed_socket& handed) {
    if (!handed) return {};
    util::unique_fd copy(::fcntl(handed.fd(), F_DUPFD_CLOEXEC, 3));
    if (!copy) throw denied("use", "the socket of the service manager", errno);
    return copy;
}

failure already_running(const lifecycle::probe_result& found, const lifecycle::instance& where) {
    const std::string pid = found.pid ? fmt::format(" (pid {})", found.pid) : "";
    return failure(error_kind::start_failed, cannot("start the daemon of", where.root),
                   fmt::format("one is {} already{}", name_of(found.state), pid));
}

// If the lock is held, a probe says by whom. Waits for a predecessor that is shutting down.
lifecycle::instance_lock take_lock(const lifecycle::instance& where, util::deadline limit) {
    lifecycle::startup_watch watch(where.runtime_dir);
    const auto patience = util::deadline::in(lifecycle::start_timeout()).earlier(limit);
    for (;;) {
        if (auto lock = lifecycle::instance_lock::try_take(where.pid_path())) return std::move(*lock);
        auto found = lifecycle::probe(where, patience);
        if (found.problem) throw *found.problem;
        const bool ending =
            found.state == lifecycle::daemon_state::draining || found.state == lifecycle::daemon_state::dead;
        if (!ending || patience.expired()) throw already_running(found, where);
        watch.wait(patience);
    }
}

// Takes the lock and becomes a daemon, apart from its keeper.
void start_anew(lifecycle::daemon_options& run, const lifecycle::handed_socket& handed, util::deadline limit) {
    lifecycle::check_runtime_dir(run.where.runtime_dir, true);
    run.lock = take_lock(run.where, limit);
    lifecycle::clear_start_failure(run.where);
    run.caller = lifecycle::read_caller_settings();
    run.manager = lifecycle::service_manager::from_environment(::getpid());
    const int lock_alone[] = {run.lock.fd()};
    const int both[] = {run.lock.fd(), handed.fd()};
    lifecycle::daemonize(run.caller, handed ? std::span<const int>(both) : std::span<const int>(lock_alone),
                         false);
    run.handed = copy_of(handed);
    if (!handed.problem().empty())
        print_error(fmt::format("{}: the socket that was handed over is not used: {}\n", this_program.name,
                                handed.problem()));
    run.keeper = lifecycle::fork_from_keeper(run.where, run.caller, run.lock.fd(), -1);
}

exit_code run_with(const lifecycle::instance& where, const lifecycle::handed_socket& handed, invocation& call,
                   foreground_options options) {
    lifecycle::daemon_options run;
    run.where = where;
    run.foreground = true;
    if (auto keeper = lifecycle::inherited_keeper()) {
        run.manager = lifecycle::service_manager::from_environment(keeper->pid);
        lifecycle::take_over(run, std::move(*keeper), false);
        lifecycle::resume_lock(run);
    } else {
        start_anew(run, handed, call.limit);
    }
    run.shutdown_max = options.shutdown_max;
    const auto output = std::make_shared<foreground_output>(call.global.json);
    run.show_line = [output](std::string_view part, std::string_view line) { output->show(part, line); };
    run.make_application = [output, make = std::move(options.make_application)](
                               lifecycle::daemon& daemon, lifecycle::application_context context) {
        output->use(context.executor);
        return make(daemon, std::move(context));
    };
    const exit_code code = lifecycle::run_daemon(std::move(run));
    output->finish();
    return code;
}

}  // namespace

exit_code run_foreground(invocation& call, foreground_options options) {
    const lifecycle::instance where = call.where();
    const auto handed = lifecycle::handed_socket::take(where);
    try {
        return run_with(where, handed, call, std::move(options));
    } catch (...) {
        handed.turn_clients_away();
        throw;
    }
}

}  // namespace hob::cmd
