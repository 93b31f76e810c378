#include "unit/supervise/unit_process.hpp"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// The key of a main process that is not the one that was started.
constexpr const char* main_suffix = "/main";

const std::string& this_boot() {
    static const std::string id = util::boot_id();
    return id;
}

child_options child_options_of(const unit_context& context, const process_options& from, int cgroup) {
    child_options options;
    options.unit = from.display_name.empty() ? from.spec->name : from.display_name;
    options.argv = from.argv;
    options.environment = from.environment;
    options.cwd = from.cwd.value_or(from.spec->cwd);
    if (context.options.unit_nofile.rlim_max != 0) options.nofile = context.options.unit_nofile;
    options.input = from.input;
    options.output = from.output;
    options.error = from.error;
    options.terminal = from.terminal;
    options.umask = from.umask;
    options.limits = from.limits;
    options.cgroup = cgroup;
    if (from.held) options.keeper = from.held.keeper->pid();
    return options;
}

unit_cgroup cgroup_for(const unit_context& context, const unit_spec& spec) {
    if (!ends_all(spec.kill) && !has_limits(spec.resources)) return {};
    return context.cgroups->make(spec.name, spec.resources);
}

std::uint64_t start_time_of(const adopted_process& process) {
    if (process.start_time != 0) return process.start_time;
    const auto stat = util::read_proc_stat(process.pid);
    return stat ? stat->start_time : 0;
}

std::string cgroup_of(const adopted_process& process) {
    return process.cgroup.empty() ? cgroup_of_unit_process(process.pid) : process.cgroup;
}

child_options options_of_launch(const unit_spec& spec, const adopted_process& process) {
    child_options options;
    options.unit = spec.name == command_name && !process.argv.empty() ? process.argv.front() : spec.name;
    options.argv = process.argv;
    options.environment = process.environment;
    options.cwd = spec.cwd;
    return options;
}

child adopted_child(const unit_context& context, const unit_spec& spec, adopted_process& process) {
    if (process.key.empty()) return child(context.options.executor, process.pid);
    return child(context.options.executor, process.pid, start_time_of(process),
                 held_process{context.options.keeper, process.key, {}}, std::move(process.gate),
                 options_of_launch(spec, process));
}

}  // namespace

unit_process::unit_process(std::shared_ptr<unit_context> context, const process_options& options)
    : context_(std::move(context)),
      spec_(options.spec),
      terminal_(options.terminal),
      held_key_(options.held.key),
      launches_(true),
      cgroup_(cgroup_for(*context_, *spec_)),
      child_(context_->options.executor, child_options_of(*context_, options, cgroup_.directory()),
             options.held),
      limits_(context_->options.executor, spec_->resources, [this] { return tree(); }),
      killed_(context_->options.executor) {
    if (spec_->stop.run) {
        environment_ = options.environment;
        command_output_.reset(::fcntl(options.error, F_DUPFD_CLOEXEC, 3));
    }
    const pid_t pid = child_.pid();
    context_->options.db.put_process(
        {spec_->name, pid, pid, pid, child_.start_time(), this_boot(), spec_->kill});
}

unit_process::unit_process(std::shared_ptr<unit_context> context, adopted_process process)
    : context_(std::move(context)),
      spec_(std::move(process.spec)),
      terminal_(process.terminal),
      held_key_(process.key),
      launches_(static_cast<bool>(process.gate)),
      cgroup_(context_->cgroups->adopt(cgroup_of(process), spec_->resources)),
      child_(adopted_child(*context_, *spec_, process)),
      limits_(context_->options.executor, spec_->resources, [this] { return tree(); }),
      killed_(context_->options.executor) {
    if (!launches_) limits_.begin(spec_->name, cgroup_);
    if (!spec_->stop.run) return;
    environment_ = std::move(process.environment);
    command_output_ = std::move(process.output);
}

unit_process::~unit_process() = default;

asio::awaitable<void> unit_process::launched() {
    if (stop_requested_) co_return;
    try {
        co_await child_.launched();
    } catch (const failure&) {
        cgroup_.remove();
        context_->options.db.forget_process(spec_->name, child_.pid());
        throw;
    }
    if (child_.launching()) co_return;
    if (child_.in_cgroup()) {
        cgroup_.started();
    } else {
        cgroup_.remove();
    }
    launches_ = false;
    limits_.begin(spec_->name, cgroup_);
}

scope unit_process::members() const {
    scope result{context_->options.instance_key,
                 spec_->name,
                 spec_->kill,
                 child_.pid(),
                 child_.start_time(),
                 true,
                 ends_all(spec_->kill) ? cgroup_.path() : std::string()};
    for (const auto& successor : successors_)
        result.successors.push_back({successor->pid(), successor->start_time()});
    result.seen = seen_;
    result.terminal = terminal_;
    return result;
}

bool unit_process::set_main(pid_t pid) {
    if (pid == main_pid()) return true;
    if (pid == child_.pid() || !contains(pid)) return false;
    try {
        successors_.push_back(watch_main(pid));
    } catch (const failure&) {
        return false;
    }
    return true;
}

// Its end is told to the keeper, if that becomes its parent when its own parents end.
std::unique_ptr<child> unit_process::watch_main(pid_t pid) const {
    const auto& executor = context_->options.executor;
    lifecycle::keeper_link* const keeper = held_key_.empty() ? nullptr : context_->options.keeper;
    if (!keeper || !keeper->alive()) return std::make_unique<child>(executor, pid);
    const auto stat = util::read_proc_stat(pid);
    if (!stat) throw failure(error_kind::unit_failed, cannot("watch", std::to_string(pid)), "it has ended");
    keeper->hold(held_key_ + main_suffix, {}, pid);
    return std::make_unique<child>(executor, pid, stat->start_time,
                                   held_process{keeper, held_key_ + main_suffix, {}});
}

void unit_process::extend_stop(milliseconds time) {
    const auto extended = util::deadline::in(time);
    if (extended.remaining() > stop_limit_.remaining()) stop_limit_ = extended;
}

std::optional<exit_state> unit_process::poll() const {
    auto exit = child_.poll();
    if (exit && !successors_.empty()) exit = successors_.back()->poll();
    return exit ? std::optional(with_reason(*exit)) : exit;
}

exit_state unit_process::with_reason(exit_state exit) const {
    if (exit.signalled && exit.number == SIGKILL && !kill_requested_ && !needed_kill_)
        exit.killed_for = limits_.reached(cgroup_.path());
    return exit;
}

asio::awaitable<std::optional<exit_state>> unit_process::main_exited() {
    auto exit = co_await child_.exited();
    for (std::size_t i = 0; exit && i < successors_.size(); ++i)
        exit = co_await successors_[i]->exited();
    if (exit) exit = with_reason(*exit);
    co_return exit;
}

std::vector<member> unit_process::tree() const {
    scope whole = members();
    whole.kill = kill_scope::all;
    whole.cgroup = cgroup_.path();
    return find_members(whole);
}

bool unit_process::contains(pid_t pid) const {
    const auto found = tree();
    return std::any_of(found.begin(), found.end(),
                       [pid](const member& process) { return process.pid == pid; });
}

bool unit_process::request_stop() {
    if (std::exchange(stop_requested_, true)) return false;
    child_.interrupt();
    for (const auto& successor : successors_)
        successor->interrupt();
    return true;
}

bool unit_process::signal(int number, bool whole) {
    bool any = false;
    for (const auto& process : tree()) {
        if (whole || process.pid == main_pid()) any = signal_member(process, number) || any;
    }
    return any;
}

void unit_process::kill_now() {
    kill_requested_ = true;
    killed_.set();
    if (!reaped_) remember_members();
    if (!reaped_) signal_scope_group(members(), {SIGKILL});
    request_stop();
}

asio::awaitable<std::optional<exit_state>> unit_process::ended() {
    if (stop_requested_) co_return poll();
    co_return co_await main_exited();
}

asio::awaitable<void> unit_process::gone() {
    while (!poll()) {
        co_await main_exited();
    }
}

asio::awaitable<stop_report> unit_process::clean_up() {
    // A process that ended by itself leaves the rest of the unit as a stop would find it.
    if (!stop_sent_ && !kill_requested_) co_await end();
    limits_.end();
    co_await context_->turns->next();
    stop_report report;
    const auto limit = util::deadline::in(poll() ? limits::reap_timeout : std::chrono::milliseconds(0));
    if (!nothing_left_) report.left = co_await end_scope(members(), limit);
    reaped_ = poll().has_value();
    child_.reap();
    for (const auto& successor : successors_)
        successor->reap();
    if (!held_key_.empty() && !successors_.empty()) context_->options.keeper->drop(held_key_ + main_suffix);
    cgroup_.remove();
    // The next daemon tries again to end what this one could not.
    if (reaped_) context_->options.db.forget_process(spec_->name, child_.pid());
    for (const auto& process : report.left) {
        context_->options.db.put_process(
            {spec_->name, process.pid, 0, 0, process.start_time, this_boot(), spec_->kill});
    }
    report.killed = stop_note();
    co_return report;
}

}  // namespace hob::unit
