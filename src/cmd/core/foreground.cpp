#include "cmd/core/foreground.hpp"

#include <fmt/format.h>

#include <utility>

#include "cmd/core/foreground_output.hpp"
#include "error.hpp"
#include "lifecycle/connect.hpp"
#include "lifecycle/daemon.hpp"
#include "lifecycle/daemonize.hpp"
#include "lifecycle/probe.hpp"
#include "lifecycle/start_failure.hpp"
#include "lifecycle/start_keeper.hpp"
#include "lifecycle/startup_watch.hpp"
#include "limits.hpp"

namespace hob::cmd {
namespace {

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

void start_anew(lifecycle::daemon_options& run, util::deadline limit) {
    lifecycle::check_runtime_dir(run.where.runtime_dir, true);
    run.lock = take_lock(run.where, limit);
    lifecycle::clear_start_failure(run.where);
    run.caller = lifecycle::read_caller_settings();
    const int keep[] = {run.lock.fd()};
    lifecycle::daemonize(run.caller, keep, false);
    run.keeper = lifecycle::fork_from_keeper(run.where, run.caller, run.lock.fd(), -1);
}

}  // namespace

exit_code run_foreground(invocation& call, foreground_options options) {
    lifecycle::daemon_options run;
    run.foreground = true;
    run.where = call.where();
    if (auto keeper = lifecycle::inherited_keeper()) {
        lifecycle::take_over(run, std::move(*keeper), false);
        lifecycle::resume_lock(run);
    } else {
        start_anew(run, call.limit);
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

}  // namespace hob::cmd
