// How a service outlives the daemon: what the keeper gets, and how the next daemon uses it.

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>

#include <utility>

#include "error.hpp"
#include "unit/config/expanded.hpp"
#include "unit/service/service_note.hpp"
#include "unit/service/service_process.hpp"
#include "unit/spec/definition_digest.hpp"
#include "util/clock.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::system_clock;

std::int64_t end_of(const util::deadline& limit) {
    return limit.is_never() ? 0 : util::ms_of(system_clock::now() + limit.remaining());
}

milliseconds left_until(std::int64_t ms) {
    return std::max(milliseconds(ms - util::ms_of(system_clock::now())), milliseconds(0));
}

constexpr const char* supervision_names[] = {"none", "up", "ending"};

// As the name of a cgroup: that of the unit.
constexpr const char* own_name = "=";

// Enough of the digest to see that a definition is another one.
std::string definition_mark(const unit_spec& spec) {
    constexpr std::size_t digits = 16;
    return definition_digest(spec).substr(0, digits);
}

}  // namespace

std::string service::held_key() const { return std::string(held_unit_prefix) + spec_->name; }

lifecycle::keeper_link* service::keeper() const { return context_->keeper(); }

held_process service::held_by_keeper(const child_pipes& pipes, notify_socket* notify) const {
    held_process held;
    held.keeper = keeper();
    if (!held.keeper) return held;
    held.key = held_key();
    held.descriptors = {{"output", pipes.output.read.get()}, {"error", pipes.error.read.get()}};
    if (pipes.input.write) held.descriptors.push_back({"input", pipes.input.write.get()});
    if (spec_->tty) held.descriptors.push_back({"slave", pipes.output.write.get()});
    if (spec_->stop.run) held.descriptors.push_back({"stop", pipes.error_end()});
    if (notify) held.descriptors.push_back({"notify", notify->descriptor()});
    if (pipes.spool) held.descriptors.push_back({"spool", pipes.spool->descriptor()});
    return held;
}

void service::remember() const { remember(process_.get()); }

// `current`: a process that is about to be made, too.
void service::remember(const service_process* current) const {
    lifecycle::keeper_link* const link = keeper();
    if (!link) return;
    service_note note;
    note.state = name_of(state());
    note.since = util::ms_of(since());
    note.supervision = supervision_names[static_cast<std::size_t>(supervision_)];
    note.detail = detail_;
    note.stop_reason = stop_reason_;
    note.watch_held = watch_held_;
    note.culprit = culprit_;
    note.restart_requested = restart_requested_;
    note.start_requested = start_requested_;
    note.dependencies_met = dependencies_met_;
    note.tasks_due = tasks_due_;
    note.asked_to_stop = asked_to_stop_;
    note.restarts = restarts_;
    note.restarts_in_a_row = restarts_in_a_row_;
    note.backoff = backoff_.count();
    if (state() == unit_state::backoff) note.backoff_ends = util::ms_of(since() + backoff_);
    note.ends = static_cast<std::int64_t>(ends_);
    if (last_exit_) note.exit = last_exit_->number;
    note.exit_by_signal = last_exit_ && last_exit_->signalled;
    note.life = lives_.id();
    if (current) describe_process(*current, note);
    // The last process is given up together with what was decided about its end.
    const bool drops = !current && process_is_held_;
    process_is_held_ = current != nullptr;
    if (drops) return link->hold(held_key(), {}, 0, to_json(note));
    link->note(held_key(), to_json(note));
}

void service::describe_process(const service_process& current, service_note& note) const {
    if (current.process) {
        note.pid = current.process->pid();
        note.start_time = static_cast<std::int64_t>(current.process->start_time());
        if (const pid_t main = current.process->main_pid(); main != current.process->pid()) note.main_pid = main;
        note.cgroup = name_of_cgroup(current.process->cgroup());
        if (note.cgroup == spec_->name) note.cgroup = own_name;
        note.stop_requested = current.process->stop_requested();
    }
    note.definition = definition_mark(*spec_);
    if (current.notify) note.notify_address = current.notify->address();
    note.status_text = current.status_text;
    note.failure_reason = current.failure_reason;
    if (current.watchdog) note.watchdog = current.watchdog->count();
    if (!current.was_ready) note.start_ends = end_of(current.start_limit);
    note.signalled = current.signalled.is_set();
    note.was_ready = current.was_ready;
}

// Its output is at its end: what still has it open gets SIGPIPE, as without a keeper. The spool has its size.
void service::drop_output() const {
    lifecycle::keeper_link* const link = keeper();
    if (link) link->hold(held_key(), {{"spool", process_->io->spool()}}, process_->process->pid());
}

void service::tell_of_end(const service_process& current, const std::string& message) {
    if (current.adopted && log_.has_told(message, lives_.id())) return;
    log_.write("hob", message + "\n", lives_.id());
}

// ---- the next daemon ----

void service::adopt(lifecycle::held_entry held) {
    const auto note = parse_service_note(held.note);
    if (!note) return;
    restarts_ = static_cast<int>(note->restarts);
    restarts_in_a_row_ = static_cast<int>(note->restarts_in_a_row);
    backoff_ = milliseconds(note->backoff);
    ends_ = static_cast<std::uint64_t>(note->ends);
    detail_ = note->detail;
    stop_reason_ = note->stop_reason;
    watch_held_ = note->watch_held;
    culprit_ = note->culprit;
    restart_requested_ = note->restart_requested;
    start_requested_ = note->start_requested;
    dependencies_met_ = note->dependencies_met;
    tasks_due_ = note->tasks_due;
    asked_to_stop_ = note->asked_to_stop;
    if (note->exit >= 0) last_exit_ = exit_state{note->exit_by_signal, static_cast<int>(note->exit), false};
    if (const auto desired = context_->options.db.desired_up(spec_->name))
        caller_environment_ = desired->environment;
    const bool has_process = held.pid > 0;
    if (has_process) adopt_process(*note, held);
    if (note->supervision == supervision_names[1]) supervision_ = supervision::up;
    if (note->supervision == supervision_names[2] && has_process) supervision_ = supervision::ending;
    const auto found = ipc::unit_state_named(note->state).value_or(unit_state::stopped);
    restore_state(found, util::time_of_ms(note->since));
    if (note->backoff_ends > 0) resumed_pause_ = left_until(note->backoff_ends);
    update_watch();
    if (supervised()) util::spawn(context_->options.executor, supervise(), "service " + spec_->name);
}

// A note without a pid was written right before its launch.
void service::adopt_process(const service_note& note, lifecycle::held_entry& held) {
    auto adopted = std::make_shared<service_process>(context_->options.executor);
    try {
        adopted->environment = context_->environment_of(*spec_, caller_environment_);
        adopted->spec = expanded(spec_, adopted->environment);
    } catch (const failure&) {
        adopted->spec = spec_;
    }
    if (note.watchdog > 0) adopted->watchdog = milliseconds(note.watchdog);
    adopted->status_text = note.status_text;
    adopted->failure_reason = note.failure_reason;
    adopted->was_ready = note.was_ready;
    adopted->adopted = true;
    if (note.signalled) adopted->signalled.set();
    if (note.start_ends > 0) adopted->start_limit = util::deadline::in(left_until(note.start_ends));
    const ready_spec& ready = adopted->settings().ready;
    const readiness_kind& kind = readiness_kind_of(ready);
    if (kind.output_pattern && !note.was_ready)
        adopted->lines = std::make_unique<line_watch>(kind.output_pattern(ready));
    if (auto socket = held.take("notify"))
        adopt_notify_socket(adopted, std::move(socket), note.notify_address);
    child_pipes pipes{{}, {}, {}};
    pipes.output.read = held.take("output");
    pipes.error.read = held.take("error");
    pipes.input.write = held.take("input");
    pipes.output.write = held.take("slave");
    pipes.spool = output_spool::adopt(held.take("spool"));
    adopted_process process;
    process.spec = spec_;
    process.pid = held.pid;
    process.start_time = note.pid == held.pid ? static_cast<std::uint64_t>(note.start_time) : 0;
    process.gate = held.take(gate_role);
    process.argv = spec_->run.argv;
    process.key = held_key();
    if (note.pid == held.pid) process.cgroup = note.cgroup == own_name ? spec_->name : note.cgroup;
    process.terminal = spec_->tty;
    process.environment = adopted->environment;
    process.output = held.take("stop");
    adopted->process = std::make_unique<unit_process>(context_, std::move(process));
    if (note.pid == held.pid && note.main_pid > 0)
        adopted->process->set_main(static_cast<pid_t>(note.main_pid));
    if (note.was_ready && !adopted->settings().health) adopted->environment = {};
    lives_.adopt(note.life);
    if (note.definition != definition_mark(*spec_)) pending_spec_ = *spec_;
    process_ = adopted;
    const auto spool = pipes.spool;
    capture_output(adopted, std::move(pipes));
    if (spool) go_on_with_output(*adopted, *spool);
    if (note.stop_requested) adopted->process->request_stop();
    util::log(util::level::info, "unit", "service goes on",
              {util::field("unit", spec_->name), util::field("pid", held.pid)});
}

// What is not in the log is read again; what is counts, and the line that it ends in.
void service::go_on_with_output(service_process& adopted, const output_spool& spool) {
    constexpr const char* streams[] = {"stdout", "stderr"};
    for (std::size_t i = 0; i < output_spool::stream_count; ++i) {
        lives_.wrote(spool.logged(i));
        if (adopted.lines) adopted.lines->feed(streams[i], spool.unfinished_line(i));
    }
}

asio::awaitable<service::process_end> service::resume_process() {
    const auto current = process_;
    remember();
    if (current->process->launches()) {
        try {
            co_await await_launch(current);
        } catch (const failure& problem) {
            co_return launch_failed(problem);
        }
        remember();
    }
    co_return co_await keep_process(current);
}

}  // namespace hob::unit
