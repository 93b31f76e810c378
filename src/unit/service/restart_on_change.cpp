// `watch` of a service: a change of its files restarts it, and starts it when it has failed. A service that
// was stopped stays stopped.

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "unit/service/service_process.hpp"
#include "unit/watch/cause_of_change.hpp"
#include "unit/watch/file_trigger.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

using util::field;

bool service::obeys_watch() const {
    if (spec_->watch.patterns.empty() || !watch_held_.empty()) return false;
    if (context_->closing || context_->draining) return false;
    return desired_up() || (state() == unit_state::failed && !asked_to_stop_);
}

void service::update_watch() {
    if (!obeys_watch()) return end_watch();
    if (watch_) return;
    const std::weak_ptr<service> weak = self();
    auto on_change = [weak](const std::vector<std::string>& paths, const std::string& note) {
        if (const auto owner = weak.lock()) owner->on_files_changed(paths, note);
    };
    watch_ =
        file_trigger::make(context_->options.executor, context_->options.root, *spec_, std::move(on_change), keep_watch());
}

void service::end_watch() {
    if (watch_) std::exchange(watch_, nullptr)->stop();
}

void service::release_watch() {
    watch_held_.clear();
    change_loop_.clear();
}

void service::on_files_changed(const std::vector<std::string>& paths, const std::string& note) {
    if (!obeys_watch()) return;
    const bool failed = state() == unit_state::failed;
    // While it waits for others it has not read its files yet.
    if (!process_ && !failed && state() != unit_state::backoff) return;
    if (!process_ && !context_->may_start_by_itself(spec_->name)) return;
    const auto now = std::chrono::steady_clock::now();
    if (const auto path = change_loop_.path_at_fault(paths, now, spec_->watch.debounce))
        return hold_watch(*path);
    const std::string why = cause_of_change(paths, note) + " changed";
    log_.write("hob", fmt::format("{}: {}\n", process_ ? "restarted" : "started", why));
    reset_backoff();
    if (state() == unit_state::stopping) start_requested_ = true;
    if (process_) {
        request_new_process(why.c_str());
        lives_.because(run_trigger::watch, why);
        return;
    }
    util::log(util::level::info, "unit", "service is started anew",
              {field("unit", spec_->name), field("reason", why)});
    if (!failed) {
        lives_.because(run_trigger::watch, why);
        return request_.ring();
    }
    set_desired_up(std::nullopt, run_trigger::watch);
    lives_.because(run_trigger::watch, why);
    tasks_due_ = false;  // as for a restart after a crash
}

void service::hold_watch(const std::string& path) {
    watch_held_ = fmt::format("its watch is held: its own start changes '{}'; hob restart {} releases it",
                              path, spec_->name);
    util::log(util::level::warning, "unit", "a watch is held: the service changes what it watches",
              {field("unit", spec_->name), field("path", path), field("hint", "add the path to 'ignore'")});
    log_.write("hob", watch_held_ + "\n");
    end_watch();
    if (context_->options.changed) context_->options.changed();
}

}  // namespace hob::unit
