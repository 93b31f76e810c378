#include "unit/service/life_recorder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "error.hpp"
#include "unit/process/environment.hpp"

namespace hob::unit {
namespace {

void add_cause(std::string& cause, const std::string& more) {
    if (more.empty()) return;
    cause += (cause.empty() ? "" : "; ") + more;
}

run_state state_of(const life_recorder::end_of_life& how) {
    if (how.requested) return run_state::stopped;
    return how.reason.empty() ? run_state::ok : run_state::failed;
}

}  // namespace

void life_recorder::because(run_trigger trigger, std::string cause) {
    trigger_ = trigger;
    cause_ = std::move(cause);
}

void life_recorder::begin(const unit_spec& spec, std::int64_t restarts,
                          const std::vector<std::string>& environment) {
    run_record life;
    life.kind = record_kind::life;
    life.task = spec.name;
    life.trigger = trigger_;
    life.cause = std::exchange(cause_, {});
    life.started_at = std::chrono::system_clock::now();
    life.restarts = restarts;
    if (!environment.empty())
        life.environment = differing_names(context_->options.base_environment, environment);
    output_bytes_ = 0;
    end_cause_.clear();
    try {
        life.id = context_->runs.add(life);
        keep(std::move(life));
    } catch (const failure&) {
        life_.reset();  // the store has logged it
    }
}

// Only the record needs the names of the variables. With a thousand ports they have 32 KiB.
void life_recorder::keep(run_record life) {
    std::vector<std::string>().swap(life.environment);
    life_ = std::move(life);
}

void life_recorder::adopt(std::int64_t id) {
    if (id == 0) return;
    if (auto life = context_->runs.find(id)) keep(std::move(*life));
}

void life_recorder::ready() {
    if (!life_) return;
    life_->ready_at = std::max(std::chrono::system_clock::now(), life_->started_at);
    context_->runs.update(*life_);
}

void life_recorder::ending(const std::string& why) {
    if (end_cause_.empty()) end_cause_ = why;
}

void life_recorder::end(const unit_spec& spec, const end_of_life& how) {
    if (!life_) return;
    run_record life = *std::exchange(life_, std::nullopt);
    life.state = state_of(how);
    life.ended_at = std::max(std::chrono::system_clock::now(), life.started_at);
    const std::string exit = how.exit ? exit_text(*how.exit) : std::string();
    last_end_ = fmt::format("life {} {}", life.id, how.reason.empty() ? exit : how.reason);
    // An exit has members of its own.
    if (how.requested) {
        add_cause(life.cause, std::exchange(end_cause_, {}));
    } else if (how.reason != exit) {
        add_cause(life.cause, how.reason);
    }
    if (how.exit && how.exit->signalled) life.signal = how.exit->number;
    if (how.exit && !how.exit->signalled) life.exit = how.exit->number;
    if (how.used) life.note_usage(*how.used);
    life.output_bytes = output_bytes_;
    context_->runs.end(life, spec.keep);
}

}  // namespace hob::unit
