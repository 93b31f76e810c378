// Of a service: what others ask of it, and its phase. How it is kept up is in service_keep.cpp, one life of
// its process in service_life.cpp.
#include "unit/service/service.hpp"

#include <fmt/format.h>

#include <utility>

#include "error.hpp"
#include "unit/process/usage.hpp"
#include "unit/service/service_process.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"
#include "util/proc.hpp"

namespace hob::unit {

namespace asio = boost::asio;

service::service(std::shared_ptr<unit_context> context, unit_spec spec)
    : managed_unit(std::move(context), std::move(spec), unit_state::stopped),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files),
      stopped_by_user_(context_->options.db.stopped_by_user(spec_->name)),
      asked_(context_->options.executor) {
    log_.remember_stdout();
}

service::~service() = default;

std::shared_ptr<service> service::make(std::shared_ptr<unit_context> context, unit_spec spec) {
    return std::shared_ptr<service>(new service(std::move(context), std::move(spec)));
}

unit_status service::status() const {
    unit_status now = managed_unit::status();
    now.restarts = restarts_;
    if (last_exit_) now.exit = exit_brief(*last_exit_);
    now.detail = detail_;
    if (!process_) return now;
    now.pid = process_->process->pid();
    now.cgroup = process_->process->cgroup();
    if (now.detail.empty()) now.detail = process_->status_text;
    return now;
}

void service::set_state(unit_state to) {
    if (to != unit_state::backoff && to != unit_state::failed) detail_.clear();
    enter(to, process_ ? process_->process->pid() : 0);
}

void service::say(std::string detail) {
    if (detail_ == detail) return;
    detail_ = std::move(detail);
    if (context_->options.changed) context_->options.changed();
    changes().ring();
}

void service::check_usable(const char* verb) const {
    if (!context_->closing) return;
    throw failure(error_kind::cancelled,
                  fmt::format("cannot {} '{}': the daemon is shutting down", verb, spec_->name));
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

void service::set_desired_up(std::optional<environment> caller) {
    if (caller) caller_environment_ = std::move(caller);
    stopped_by_user_ = false;
    record_desired_state(true, caller_environment_);
    wanted_ = true;
    pulled_ = false;
    tasks_due_ = !process_;
    failed_task_.clear();
    asked_.ring();
    if (!kept_) apply_pending_spec();
    if (std::exchange(kept_, true)) return;
    in_a_row_ = 0;
    pause_ = {};
    util::spawn(context_->options.executor, keep_up(), "service " + spec_->name);
}

void service::begin() {
    if (kept_ || stopped_by_user_ || context_->closing || state() == unit_state::failed) return;
    if (auto wish = context_->options.db.desired_up(spec_->name)) {
        set_desired_up(std::move(wish->environment));
    } else if (std::get<service_spec>(spec_->detail).autostart && state() == unit_state::stopped &&
               !last_exit_) {
        set_desired_up(std::nullopt);
    }
}

void service::pull(std::optional<environment> caller) {
    if (context_->closing) return;
    if (!wanted_ || !kept_) set_desired_up(std::move(caller));
}

asio::awaitable<void> service::start(std::optional<environment> caller) {
    const auto alive = self();
    check_usable("start");
    if (process_ && pending_spec_) co_await run_tasks_before("start", util::deadline::never());
    if (apply_pending_spec()) leave_current("its definition has changed");
    set_desired_up(std::move(caller));
    co_await await_ready_or_failed("start");
}

asio::awaitable<void> service::restart(std::optional<environment> caller) {
    const auto alive = self();
    check_usable("restart");
    apply_pending_spec();
    // Before the stop: a task that fails leaves the process alone.
    if (process_) co_await run_tasks_before("restart", util::deadline::never());
    leave_current("asked to restart");
    in_a_row_ = 0;
    pause_ = {};
    set_desired_up(std::move(caller));
    co_await await_ready_or_failed("restart");
}

asio::awaitable<void> service::await_ready_or_failed(const char* verb) {
    const auto failures = failures_;
    for (;;) {
        check_usable(verb);
        if (state() == unit_state::ready && !again_) co_return;
        if (failures_ != failures || state() == unit_state::failed) throw failed_start(verb);
        if (state() == unit_state::waiting) {
            const auto other = first_unready();
            if (other && other->failed()) throw failed_start(verb);
        }
        if (!wanted_) {
            throw failure(error_kind::cancelled,
                          fmt::format("cannot {} '{}': it was stopped meanwhile", verb, spec_->name));
        }
        if (!kept_) co_return;  // it has done what it had to, and ended well
        co_await changes().wait();
    }
}

failure service::failed_start(const char* verb) const {
    const std::string reason = detail_.empty() ? "it did not become ready" : detail_;
    const auto other = state() == unit_state::waiting ? first_unready() : nullptr;
    const std::string& culprit = other                  ? other->spec().name
                                 : failed_task_.empty() ? spec_->name
                                                        : failed_task_;
    return failure(error_kind::unit_failed, fmt::format("cannot {} '{}': {}", verb, spec_->name, reason),
                   fmt::format("hob logs {}", culprit), R"({"unit":)" + util::json_quote(culprit) + "}");
}

void service::leave_current(const char* why) {
    if (!process_ || !process_->process->request_stop()) return;
    again_ = true;
    util::log(util::level::info, "unit", "service is stopped",
              {util::field("unit", spec_->name), util::field("reason", why),
               util::field("pid", process_->process->pid())});
}

void service::request_stop(const char* why) {
    wanted_ = false;
    leave_current(why);
    again_ = false;
    asked_.ring();
}

void service::kill_now() {
    request_stop("killed");
    if (process_) process_->process->kill_now();
}

asio::awaitable<void> service::stop(bool hold) {
    const auto alive = self();
    if (hold) {
        stopped_by_user_ = true;
        record_desired_state(false, std::nullopt);
    }
    request_stop("asked to stop");
    co_await await_end_of_keeping();
    if (hold && (state() == unit_state::failed)) set_state(unit_state::stopped);
    if (left_.empty()) co_return;
    const auto process = util::read_proc_stat(left_.front().pid);
    throw failure(error_kind::unit_failed,
                  fmt::format("cannot stop '{}': pid {}{} is left and could not be ended{}", spec_->name,
                              left_.front().pid, process ? fmt::format(" ({})", process->comm) : "",
                              left_.size() > 1 ? fmt::format(", and {} more", left_.size() - 1) : ""));
}

asio::awaitable<void> service::await_end_of_keeping() {
    while (kept_ && !wanted_) {
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
    if (replace && running == running_process::keep && kept_) {
        pending_spec_ = spec;
        spec = with_live_parts(*spec_, spec);
        spec_ = std::make_shared<const unit_spec>(std::move(spec));
        asked_.ring();
        return;
    }
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    if (replace) leave_current("its configuration changed");
    asked_.ring();
}

}  // namespace hob::unit
