// What others ask of a service, and its state. supervise.cpp keeps it up; service_process.cpp runs its
// process.
#include "unit/service/service.hpp"

#include <fmt/format.h>

#include <utility>

#include "limits.hpp"
#include "unit/service/service_process.hpp"
#include "unit/terminal/service_terminal.hpp"
#include "util/json/json_writer.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

service::service(std::shared_ptr<unit_context> context, unit_spec spec)
    : managed_unit(std::move(context), std::move(spec), unit_state::stopped),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files, context_->options.executor),
      lives_(context_),
      stopped_by_user_(context_->options.db.stopped_by_user(spec_->name)),
      request_(context_->options.executor) {
    log_.remember_stdout();
    show_lines_of(log_);
}

service::~service() = default;

std::shared_ptr<service> service::make(std::shared_ptr<unit_context> context, unit_spec spec) {
    return std::shared_ptr<service>(new service(std::move(context), std::move(spec)));
}

std::shared_ptr<service_terminal> service::terminal() {
    if (!spec_->tty && spec_->input != input_source::open) return nullptr;
    if (!terminal_) terminal_ = std::make_shared<service_terminal>(context_->options.executor);
    return terminal_;
}

bool service::failing() const {
    return managed_unit::failing() || restarts_in_a_row_ >= limits::crash_loop_restarts;
}

unit_status service::status() const {
    unit_status status = managed_unit::status();
    status.restarts = restarts_;
    if (last_exit_) status.exit = exit_brief(*last_exit_);
    if (!detail_.empty()) status.detail = detail_;
    status.port_taken = port_taken_;
    if (state() == unit_state::waiting) {
        if (const auto dependency = first_unready_dependency()) status.waiting_for = dependency->spec().name;
    }
    if (!process_) return status;
    status.pid = process_->process->main_pid();
    status.cgroup = process_->process->cgroup();
    if (status.detail.empty()) status.detail = process_->process->blocked_by();
    if (status.detail.empty()) status.detail = process_->health_fault;
    if (status.detail.empty()) status.detail = watch_held_;
    if (status.detail.empty()) status.detail = process_->status_text;
    if (state() == unit_state::starting) add_readiness(status);
    process_->process->limits().add_to(status);
    return status;
}

void service::add_readiness(unit_status& status) const {
    const ready_spec& ready = process_->settings().ready;
    status.probe = readiness_kind_of(ready).text(ready);
    status.probe_failure = process_->not_yet.why;
    status.port_taken = process_->not_yet.port_taken;
    if (status.detail.empty() && !status.probe_failure.empty())
        status.detail = "not ready: " + status.probe_failure;
}

void service::set_state(unit_state to) {
    if (to != unit_state::backoff && to != unit_state::failed) detail_.clear();
    if (to != unit_state::stopping) stop_reason_.clear();
    enter(to, process_ ? process_->process->main_pid() : 0, stop_reason_.empty() ? detail_ : stop_reason_);
    remember();
    update_watch();
}

void service::set_detail(std::string detail) {
    if (detail_ == detail) return;
    detail_ = std::move(detail);
    if (context_->options.changed) context_->options.changed();
    changes().ring();
}

void service::throw_if_closing(const char* verb) const {
    if (!context_->closing) return;
    throw failure(error_kind::cancelled, cannot(verb, spec_->name), "the daemon is shutting down");
}

void service::record_desired_state(bool up, const std::optional<environment>& caller) {
    store& db = context_->options.db;
    db.set_stopped_by_user(spec_->name, !up);
    if (up) {
        db.set_desired_up(spec_->name, caller ? caller : caller_environment_);
    } else {
        db.clear_desired_up(spec_->name);
    }
}

void service::reset_backoff() {
    restarts_in_a_row_ = 0;
    backoff_ = {};
}

// `trigger`: why the life begins that this starts, if it starts one.
void service::set_desired_up(std::optional<environment> caller, run_trigger trigger) {
    if (!process_ || restart_requested_ || state() == unit_state::stopping) lives_.because(trigger, {});
    if (caller) caller_environment_ = std::move(caller);
    stopped_by_user_ = false;
    record_desired_state(true, caller_environment_);
    const bool was_supervised = supervised();
    if (desired_up() && state() == unit_state::stopping) start_requested_ = true;
    supervision_ = supervision::up;
    asked_to_stop_ = false;
    update_watch();
    dependencies_started_ = dependencies_met_ = false;
    tasks_due_ = !process_;
    culprit_.clear();
    remember();
    request_.ring();
    if (was_supervised) {
        // The next attempt begins at once. Units that wait for this one would take the back-off for a
        // failure.
        if (state() == unit_state::backoff) set_state(unit_state::waiting);
        return;
    }
    apply_pending_spec();
    reset_backoff();
    // Its turn to be launched may come later. Whoever waits for it must not take its last failure for that of
    // this start.
    if (state() == unit_state::failed) set_state(unit_state::waiting);
    util::spawn(context_->options.executor, supervise(), "service " + spec_->name);
}

void service::begin() {
    if (supervised() || stopped_by_user_ || context_->closing || state() == unit_state::failed) return;
    if (!context_->may_start_by_itself(spec_->name)) return;
    if (auto desired = context_->options.db.desired_up(spec_->name)) {
        set_desired_up(std::move(desired->environment), run_trigger::start);
    } else if (std::get<service_spec>(spec_->detail).autostart && state() == unit_state::stopped &&
               !last_exit_) {
        set_desired_up(std::nullopt, run_trigger::start);
    }
}

void service::request_start(std::optional<environment> caller) {
    if (context_->closing) return;
    if (!desired_up() || state() == unit_state::stopping)
        set_desired_up(std::move(caller), run_trigger::after);
}

void service::signal(int number, bool whole) {
    if (process_ && process_->process->signal(number, whole)) return;
    throw failure(error_kind::unit_failed, cannot("signal", spec_->name),
                  fmt::format("it has no process: it is {}", name_of(state())), "hob start " + spec_->name);
}

asio::awaitable<void> service::start(std::optional<environment> caller) {
    const auto alive = self();
    throw_if_closing("start");
    release_watch();
    if (process_ && pending_spec_) co_await run_tasks_before("start", util::deadline::never());
    if (apply_pending_spec() && request_process_end("its definition has changed")) restart_requested_ = true;
    if (state() == unit_state::backoff) reset_backoff();
    set_desired_up(std::move(caller), run_trigger::manual);
    co_await await_ready_or_failed("start");
}

asio::awaitable<void> service::restart(std::optional<environment> caller) {
    const auto alive = self();
    throw_if_closing("restart");
    release_watch();
    apply_pending_spec();
    // Before the stop: a task that fails leaves the process alone.
    if (process_) co_await run_tasks_before("restart", util::deadline::never());
    if (request_process_end("asked to restart")) restart_requested_ = true;
    reset_backoff();
    set_desired_up(std::move(caller), run_trigger::manual);
    co_await await_ready_or_failed("restart");
}

asio::awaitable<void> service::await_ready_or_failed(const char* verb) {
    const auto failures = failures_, times_ready = times_ready_;
    for (;;) {
        throw_if_closing(verb);
        // It may have ended again since: that is another event than this start.
        if (times_ready_ != times_ready || (ready() && !restart_requested_)) co_return;
        if (failures_ != failures || state() == unit_state::failed) throw failed_start(verb);
        if (state() == unit_state::waiting && dependencies_started_) {
            const auto dependency = first_unready_dependency();
            if (dependency && is_hopeless(*dependency)) throw failed_start(verb);
        }
        if (!desired_up())
            throw failure(error_kind::cancelled, cannot(verb, spec_->name), "it was stopped meanwhile");
        co_await changes().wait();
    }
}

failure service::failed_start(const char* verb) const {
    const auto dependency = state() == unit_state::waiting ? first_unready_dependency() : nullptr;
    const std::string& culprit = dependency         ? dependency->spec().name
                                 : culprit_.empty() ? spec_->name
                                                    : culprit_;
    const std::string reason = dependency ? waits_for(*dependency) : detail_;
    std::string hint = fmt::format("hob logs {}", culprit);
    const bool ended_cleanly = last_exit_ && !last_exit_->signalled && last_exit_->number == 0;
    if (culprit == spec_->name && ended_cleanly && !spec_->tty && spec_->input == input_source::null)
        hint += "; if it ends when its standard input does: stdin = \"open\"";
    return failure(error_kind::unit_failed, cannot(verb, spec_->name),
                   reason.empty() ? "it did not become ready" : reason, hint,
                   util::json_object().add("unit", culprit).text());
}

bool service::request_process_end(const char* why) {
    if (!process_ || !process_->process->request_stop()) return false;
    lives_.ending(why);
    stop_reason_ = why;
    remember();
    util::log(util::level::info, "unit", "service is stopped",
              {util::field("unit", spec_->name), util::field("reason", why),
               util::field("pid", process_->process->pid())});
    return true;
}

void service::request_stop(const char* why) {
    if (supervised()) supervision_ = supervision::ending;
    restart_requested_ = false;
    request_process_end(why);
    remember();
    request_.ring();
}

void service::request_new_process(const char* why) {
    if (!desired_up() || context_->closing || !request_process_end(why)) return;
    restart_requested_ = true;
    lives_.because(run_trigger::after, why);
}

void service::kill_now() {
    request_stop("killed");
    if (process_) process_->process->kill_now();
}

asio::awaitable<void> service::stop(bool hold) {
    const auto alive = self();
    asked_to_stop_ = true;
    update_watch();
    if (hold) {
        stopped_by_user_ = true;
        record_desired_state(false, std::nullopt);
    }
    request_stop("asked to stop");
    co_await await_stopped();
    if (hold && state() == unit_state::failed) set_state(unit_state::stopped);
    throw_if_left("stop");
}

asio::awaitable<void> service::await_stopped() {
    while (supervision_ == supervision::ending) {
        co_await changes().wait();
    }
}

bool service::apply_pending_spec() {
    if (!pending_spec_) return false;
    spec_ = std::make_shared<const unit_spec>(std::move(*pending_spec_));
    pending_spec_.reset();
    return true;
}

void service::reconfigure(unit_spec spec, running_process running) {
    const bool replace = needs_new_process(*spec_, spec);
    pending_spec_.reset();
    if (!(spec_->watch == spec.watch)) {
        release_watch();
        end_watch();
    }
    if (replace && running == running_process::keep && supervised()) {
        pending_spec_ = spec;
        spec = with_live_parts(*spec_, spec);
        spec_ = std::make_shared<const unit_spec>(std::move(spec));
        update_watch();
        request_.ring();
        return;
    }
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    update_watch();
    if (replace && request_process_end("its configuration changed")) {
        restart_requested_ = true;
        lives_.because(run_trigger::manual, "its configuration changed");
    }
    request_.ring();
}

}  // namespace hob::unit
