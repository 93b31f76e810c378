#include "unit/supervise/unit_process.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "limits.hpp"
#include "util/async.hpp"
#include "util/deadline.hpp"
#include "util/log.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using util::field;

const std::string& this_boot() {
    static const std::string id = util::boot_id();
    return id;
}

child_options child_options_of(const unit_context& context, const process_options& wanted, int cgroup) {
    child_options options;
    options.unit = wanted.called.empty() ? wanted.spec->name : wanted.called;
    options.argv = wanted.argv;
    options.environment = wanted.environment;
    options.cwd = wanted.cwd.value_or(wanted.spec->cwd);
    if (context.options.unit_nofile.rlim_max != 0) options.nofile = context.options.unit_nofile;
    options.input = wanted.input;
    options.output = wanted.output;
    options.error = wanted.error;
    options.terminal = wanted.terminal;
    options.umask = wanted.umask;
    options.cgroup = cgroup;
    return options;
}

unit_cgroup cgroup_for(const unit_context& context, const unit_spec& spec) {
    if (spec.kill != kill_scope::all) return {};
    return context.cgroups->make(spec.name);
}

}  // namespace

unit_process::unit_process(std::shared_ptr<unit_context> context, const process_options& options)
    : context_(std::move(context)),
      spec_(options.spec),
      cgroup_(cgroup_for(*context_, *spec_)),
      child_(context_->options.executor, child_options_of(*context_, options, cgroup_.directory())) {
    if (child_.in_cgroup()) {
        cgroup_.started();
    } else {
        cgroup_.remove();
    }
    const pid_t pid = child_.pid();
    context_->options.db.put_process(
        {spec_->name, pid, pid, pid, child_.start_time(), this_boot(), spec_->kill});
}

unit_process::~unit_process() = default;

scope unit_process::members() const {
    return {context_->options.instance_key,
            spec_->name,
            spec_->kill,
            child_.pid(),
            child_.start_time(),
            true,
            cgroup_.path()};
}

bool unit_process::has(pid_t pid) const {
    const auto all = find_members(members());
    return pid == child_.pid() ||
           std::any_of(all.begin(), all.end(), [pid](const member& one) { return one.pid == pid; });
}

bool unit_process::request_stop() {
    if (std::exchange(stop_asked_, true)) return false;
    child_.interrupt();
    return true;
}

void unit_process::kill_now() {
    hurried_ = true;
    if (!child_.poll()) signal_scope_group(members(), {SIGKILL});
    request_stop();
}

asio::awaitable<std::optional<exit_state>> unit_process::ended() {
    if (stop_asked_) co_return child_.poll();
    co_return co_await child_.exited();
}

asio::awaitable<void> unit_process::gone() {
    while (!child_.poll()) {
        co_await child_.exited();
    }
}

asio::awaitable<exit_state> unit_process::end(std::optional<util::deadline> rest) {
    auto limit = util::deadline::in(hurried_ ? std::chrono::milliseconds(0) : spec_->stop.timeout);
    if (rest) limit = limit.earlier(*rest);
    if (!hurried_) {
        // SIGCONT: a stopped process cannot act on a signal.
        signal_scope_group(members(), {spec_->stop.signal, SIGCONT});
    }
    std::optional<exit_state> exit = child_.poll();
    if (!exit && !hurried_) {
        const auto seen = co_await util::within(limit.remaining(), child_.exited());
        if (seen) exit = *seen;
    }
    if (exit && !hurried_ && spec_->kill != kill_scope::main) {
        // The rest of the group was told, too, and has the same time.
        scope group = members();
        group.kill = kill_scope::group;
        co_await wait_gone(find_members(group), limit);
    }
    while (!exit) {
        util::log(util::level::warning, "unit", "a process is killed",
                  {field("unit", spec_->name), field("pid", child_.pid())});
        signal_scope_group(members(), {SIGKILL});
        child_.signal(SIGKILL);
        const auto seen = co_await util::within(limits::reap_timeout, child_.exited());
        if (seen) exit = *seen;
    }
    co_return *exit;
}

asio::awaitable<std::vector<member>> unit_process::clear_away() {
    auto left = co_await end_scope(members(), util::deadline::in(limits::reap_timeout));
    child_.reap();
    cgroup_.remove();
    context_->options.db.forget_process(spec_->name, child_.pid());
    co_return left;
}

}  // namespace hob::unit
