// Of a service: what others ask of it, and its phase. How it is kept up is in service_keep.cpp, one life of
// its process in service_life.cpp.
#include "unit/service/service.hpp"

#include <fmt/format.h>

#include <utility>

#include "error.hpp"
#include "unit/service/service_process.hpp"
#include "unit/process/usage.hpp"
#include "util/json_text.hpp"
#include "util/log.hpp"
#include "util/proc.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

std::string_view name_of_phase(service::phase phase) {
    switch (phase) {
        case service::phase::stopped:
            return "stopped";
        case service::phase::waiting:
            return "waiting";
        case service::phase::starting:
            return "starting";
        case service::phase::ready:
            return "ready";
        case service::phase::stopping:
            return "stopping";
        case service::phase::backoff:
            return "backoff";
        case service::phase::failed:
            break;
    }
    return "failed";
}

// A change in how it is watched, and not in what is executed, leaves the process alone.
bool needs_another_process(unit_spec before, unit_spec after) {
    for (unit_spec* spec : {&before, &after}) {
        spec->after.clear();
        spec->on_failure.reset();
        auto& what = std::get<service_spec>(spec->detail);
        what.restart = restart_policy::never;
        what.max_restarts = 0;
        what.backoff = {};
        what.autostart = false;
    }
    return !(before == after);
}

}  // namespace

service::service(std::shared_ptr<unit_context> context, unit_spec spec)
    : supervised(std::move(context), std::move(spec), name_of_phase(phase::stopped)),
      log_(context_->options.state_dir + "/log/" + spec_->name + ".log", context_->options.log_max_size,
           context_->options.log_max_files),
      held_(context_->options.db.held(spec_->name)),
      asked_(context_->options.executor) {
    log_.remember_stdout();
}

service::~service() = default;

std::shared_ptr<service> service::make(std::shared_ptr<unit_context> context, unit_spec spec) {
    return std::shared_ptr<service>(new service(std::move(context), std::move(spec)));
}

unit_status service::status() const {
    unit_status now = supervised::status();
    now.restarts = restarts_;
    if (last_exit_) now.exit = exit_brief(*last_exit_);
    now.detail = detail_;
    if (!life_) return now;
    now.pid = life_->process->pid();
    now.cgroup = life_->process->cgroup();
    if (now.detail.empty()) now.detail = life_->status_text;
    return now;
}

void service::set_phase(phase to) {
    phase_ = to;
    if (to != phase::backoff && to != phase::failed) detail_.clear();
    enter(name_of_phase(to), life_ ? life_->process->pid() : 0);
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

void service::record_wish(bool up, const std::optional<environment>& caller) {
    store& db = context_->options.db;
    db.set_held(spec_->name, !up);
    if (up) {
        db.want(spec_->name, caller ? caller : caller_environment_);
    } else {
        db.unwant(spec_->name);
    }
}

void service::want(std::optional<environment> caller) {
    if (caller) caller_environment_ = std::move(caller);
    held_ = false;
    record_wish(true, caller_environment_);
    wanted_ = true;
    pulled_ = false;
    asked_.ring();
    if (std::exchange(kept_, true)) return;
    in_a_row_ = 0;
    pause_ = {};
    util::spawn(context_->options.executor, keep_up(), "service " + spec_->name);
}

void service::begin() {
    if (kept_ || held_ || context_->closing || phase_ == phase::failed) return;
    if (auto wish = context_->options.db.wanted(spec_->name)) {
        want(std::move(wish->environment));
    } else if (std::get<service_spec>(spec_->detail).autostart && phase_ == phase::stopped && !last_exit_) {
        want(std::nullopt);
    }
}

void service::pull(std::optional<environment> caller) {
    if (context_->closing) return;
    if (!wanted_ || !kept_) want(std::move(caller));
}

asio::awaitable<void> service::start(std::optional<environment> caller) {
    const auto alive = self();
    check_usable("start");
    want(std::move(caller));
    auto ready = await_ready_or_failed("start");
    co_await std::move(ready);
}

asio::awaitable<void> service::restart(std::optional<environment> caller) {
    const auto alive = self();
    check_usable("restart");
    leave_current("asked to restart");
    in_a_row_ = 0;
    pause_ = {};
    want(std::move(caller));
    auto ready = await_ready_or_failed("restart");
    co_await std::move(ready);
}

asio::awaitable<void> service::await_ready_or_failed(const char* verb) {
    const auto failures = failures_;
    for (;;) {
        check_usable(verb);
        if (phase_ == phase::ready && !again_) co_return;
        if (failures_ != failures || phase_ == phase::failed) throw failed_start(verb);
        if (phase_ == phase::waiting) {
            const auto other = first_unready();
            if (other && other->failed()) throw failed_start(verb);
        }
        if (!wanted_) {
            throw failure(error_kind::cancelled,
                          fmt::format("cannot {} '{}': it was stopped meanwhile", verb, spec_->name));
        }
        if (!kept_) co_return;  // it has done what it had to, and ended well
        auto change = changes().wait();
        co_await std::move(change);
    }
}

failure service::failed_start(const char* verb) const {
    const std::string reason = detail_.empty() ? "it did not become ready" : detail_;
    const auto other = phase_ == phase::waiting ? first_unready() : nullptr;
    const std::string& culprit = other ? other->spec().name : spec_->name;
    return failure(error_kind::unit_failed, fmt::format("cannot {} '{}': {}", verb, spec_->name, reason),
                   fmt::format("hob logs {}", culprit), R"({"unit":)" + util::json_quote(culprit) + "}");
}

void service::leave_current(const char* why) {
    if (!life_ || !life_->process->request_stop()) return;
    again_ = true;
    util::log(util::level::info, "unit", "service is stopped",
              {util::field("unit", spec_->name), util::field("reason", why),
               util::field("pid", life_->process->pid())});
}

void service::request_stop(const char* why) {
    wanted_ = false;
    leave_current(why);
    again_ = false;
    asked_.ring();
}

void service::kill_now() {
    request_stop("killed");
    if (life_) life_->process->kill_now();
}

asio::awaitable<void> service::stop(bool hold) {
    const auto alive = self();
    if (hold) {
        held_ = true;
        record_wish(false, std::nullopt);
    }
    request_stop("asked to stop");
    auto ended = await_end_of_keeping();
    co_await std::move(ended);
    if (hold && (phase_ == phase::failed)) set_phase(phase::stopped);
    if (left_.empty()) co_return;
    const auto process = util::read_proc_stat(left_.front().pid);
    throw failure(error_kind::unit_failed,
                  fmt::format("cannot stop '{}': pid {}{} is left and could not be ended{}", spec_->name,
                              left_.front().pid, process ? fmt::format(" ({})", process->comm) : "",
                              left_.size() > 1 ? fmt::format(", and {} more", left_.size() - 1) : ""));
}

asio::awaitable<void> service::await_end_of_keeping() {
    while (kept_ && !wanted_) {
        auto change = changes().wait();
        co_await std::move(change);
    }
}

void service::reconfigure(unit_spec spec) {
    const bool replace = needs_another_process(*spec_, spec);
    spec_ = std::make_shared<const unit_spec>(std::move(spec));
    if (replace) leave_current("its configuration changed");
    asked_.ring();
}

}  // namespace hob::unit
