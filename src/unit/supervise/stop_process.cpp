// How a process of a unit is ended.
#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/process/hook_command.hpp"
#include "unit/supervise/unit_process.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/duration.hpp"
#include "util/log/log.hpp"
#include "util/signal_name.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using util::field;

asio::awaitable<void> hook_end(child_options options, std::optional<exit_state>& ended) {
    ended = co_await run_hook_command(std::move(options));
}

// Sets `ended` unless it is killed because `killed` was set.
asio::awaitable<void> interruptible_hook(child_options options, util::manual_reset_event& killed,
                                         std::optional<exit_state>& ended) {
    co_await util::first_of(hook_end(std::move(options), ended), killed.wait());
}

}  // namespace

asio::awaitable<bool> unit_process::await_rest(util::deadline limit) {
    scope rest = members();
    // Without SIGKILL at the end, a process that left the group is not waited for.
    if (rest.kill == kill_scope::all) rest.kill = kill_scope::group;
    co_return co_await wait_gone(find_members(rest), limit);
}

// A shell ignores the stop signal, and ends when its terminal is gone. It hangs up on its jobs then, so these
// have their time first.
asio::awaitable<void> unit_process::hang_up() {
    const auto ignoring = find_ignoring(members(), spec_->stop.signal);
    if (ignoring.empty()) co_return;
    scope rest = members();
    if (rest.kill == kill_scope::all) rest.kill = kill_scope::group;
    if (rest.kill == kill_scope::group) {
        auto others = find_members(rest);
        std::erase_if(others, [&ignoring](const member& process) {
            return std::any_of(ignoring.begin(), ignoring.end(),
                               [&process](const member& other) { return other.pid == process.pid; });
        });
        co_await wait_gone(std::move(others), stop_limit_);
    }
    for (const auto& process : ignoring)
        signal_member(process, SIGHUP);
}

// Without a cgroup, a process that has left the session and has no marks belongs to the unit only as long as
// its parents live, and these may end before it does.
void unit_process::remember_members() {
    if (cgroup_.path().empty() && ends_all(spec_->kill)) seen_ = find_members(members());
}

void unit_process::ask_to_end() {
    // SIGCONT: a stopped process cannot act on a signal.
    signal_scope_group(members(), {spec_->stop.signal, SIGCONT});
}

// Also when the process has ended meanwhile, the command may finish what it does.
asio::awaitable<bool> unit_process::run_stop_command() {
    const run_spec& command = *spec_->stop.run;
    child_options options = hook_options(*spec_, command, environment_);
    options.output = options.error = command_output_.get();
    std::optional<exit_state> ended;
    try {
        const bool in_time = co_await util::within(stop_limit_.remaining(),
                                                   interruptible_hook(std::move(options), killed_, ended));
        if (!in_time)
            command_fault_ = fmt::format("did not end within {}", util::format_duration(spec_->stop.timeout));
        if (ended && (ended->signalled || ended->number != 0)) command_fault_ = exit_text(*ended);
    } catch (const failure& why) {
        command_fault_ = "could not be started: " + why.reason();
    }
    if (command_fault_.empty()) co_return true;
    util::log(util::level::warning, "unit", "a stop command failed",
              {field("unit", spec_->name), field("command", command.text), field("how", command_fault_)});
    co_return false;
}

// Within the stop limit. A shell can miss a signal that comes right before it waits for a key, so that with a
// terminal the hang-up is repeated.
asio::awaitable<std::optional<exit_state>> unit_process::await_main() {
    std::optional<exit_state> exit = poll();
    while (!exit && !kill_requested_ && !stop_limit_.expired()) {
        const milliseconds left = stop_limit_.remaining();
        const bool hangs_up = terminal_ && !asked_by_command_;
        const auto patience = hangs_up ? std::min(left, limits::hang_up_again) : left;
        const auto ended = co_await util::within(patience, main_exited());
        if (ended) exit = *ended;
        if (!exit && !kill_requested_ && hangs_up) co_await hang_up();
    }
    co_return exit;
}

// A process that does not run its program yet cannot act on the stop signal. The stop command is for the main
// process: what that has left behind gets the signal.
asio::awaitable<std::optional<exit_state>> unit_process::end(std::optional<util::deadline> limit) {
    stop_sent_ = true;
    co_await context_->turns->next();
    kill_requested_ = kill_requested_ || child_.launching();
    std::optional<exit_state> exit = poll();
    remember_members();
    nothing_left_ = exit && find_members(members()).empty();
    if (exit) command_output_.reset();
    if (nothing_left_) co_return *exit;
    stop_limit_ = util::deadline::in(kill_requested_ ? milliseconds(0) : spec_->stop.timeout);
    if (limit) stop_limit_ = stop_limit_.earlier(*limit);
    if (!kill_requested_ && command_output_) asked_by_command_ = co_await run_stop_command();
    command_output_.reset();
    if (!kill_requested_ && !asked_by_command_) {
        ask_to_end();
        co_await hang_up();
    }
    if (!exit) exit = co_await await_main();
    if (exit && !kill_requested_ && spec_->kill != kill_scope::main) {
        if (asked_by_command_) ask_to_end();
        const bool rest_ended = co_await await_rest(stop_limit_);
        needed_kill_ = !rest_ended && !kill_requested_;
    }
    if (!exit) {
        needed_kill_ = needed_kill_ || !kill_requested_;
        exit = co_await kill();
    }
    if (needed_kill_) {
        util::log(util::level::warning, "unit", "a unit did not end in time and was killed",
                  {field("unit", spec_->name), field("pid", main_pid())});
    }
    co_return exit;
}

asio::awaitable<std::optional<exit_state>> unit_process::kill() {
    const auto limit = util::deadline::in(limits::kill_timeout);
    std::optional<exit_state> exit = poll();
    while (!exit && !limit.expired()) {
        signal_scope_group(members(), {SIGKILL});
        child_.signal(SIGKILL);
        main().signal(SIGKILL);
        const auto ended = co_await util::within(limit.remaining(), main_exited());
        if (ended) exit = *ended;
    }
    co_return exit;
}

std::string unit_process::stop_note() const {
    const bool killed = needed_kill_ && poll();
    const std::string signal = fmt::format("SIG{}", util::signal_name(spec_->stop.signal));
    const std::string command =
        spec_->stop.run ? fmt::format("stop command '{}'", spec_->stop.run->text) : "";
    if (!command_fault_.empty() && !killed)
        return fmt::format("ended by {}: its {} {}", signal, command, command_fault_);
    if (!killed) return {};
    if (!command_fault_.empty())
        return fmt::format("killed: its {} {}; stop.run and stop.timeout change that", command,
                           command_fault_);
    return fmt::format("killed: it did not end within {} of {}; stop.timeout and {} change that",
                       util::format_duration(spec_->stop.timeout),
                       asked_by_command_ ? "its " + command : signal,
                       asked_by_command_ ? "stop.run" : "stop.signal");
}

}  // namespace hob::unit
