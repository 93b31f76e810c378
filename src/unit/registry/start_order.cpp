// Starts, stops and waits for several units, in the order of `after`.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "unit/process/environment.hpp"
#include "unit/protocol/attachment.hpp"
#include "unit/registry/unit_map.hpp"
#include "unit/terminal/terminal_attachment.hpp"
#include "util/async.hpp"
#include "util/log/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Logs the failure of a stop whose caller is gone.
void log_stop_failure(const std::exception_ptr& failed) {
    if (!failed) return;
    try {
        std::rethrow_exception(failed);
    } catch (const failure& why) {
        util::log(util::level::error, "unit", "a unit could not be stopped",
                  {util::field("reason", why.what())});
    }
}

void throw_first(const std::vector<std::exception_ptr>& failures) {
    for (const auto& failed : failures) {
        if (failed) std::rethrow_exception(failed);
    }
}

// The units that no other of `units` names in `after`; all of them if there is none.
std::vector<unit_ptr> without_dependents(const std::vector<unit_ptr>& units) {
    std::vector<unit_ptr> found;
    for (const auto& unit : units) {
        const bool needed = std::any_of(units.begin(), units.end(), [&](const unit_ptr& other) {
            return contains(other->spec().after, unit->spec().name);
        });
        if (!needed) found.push_back(unit);
    }
    return found.empty() ? units : found;
}

}  // namespace

asio::awaitable<void> registry::start_units(std::vector<std::string> names,
                                            std::optional<std::vector<std::string>> caller_environment) {
    if (caller_environment) caller_environment = without_call_variables(*caller_environment);
    units_->record_desired_states("start", names, true, caller_environment);
    std::vector<asio::awaitable<void>> starts;
    starts.push_back(units_->sync_desired_states());
    for (const auto& name : names)
        starts.push_back(units_->unit_named("start", name)->start(caller_environment));
    throw_first(co_await util::all_of(std::move(starts)));
}

asio::awaitable<void> registry::restart_units(std::vector<std::string> names,
                                              std::optional<std::vector<std::string>> caller_environment) {
    if (caller_environment) caller_environment = without_call_variables(*caller_environment);
    std::vector<asio::awaitable<void>> restarts;
    for (const auto& name : names)
        restarts.push_back(units_->unit_named("restart", name)->restart(caller_environment));
    throw_first(co_await util::all_of(std::move(restarts)));
}

asio::awaitable<void> registry::stop_units(std::vector<std::string> names, bool hold) {
    std::vector<unit_ptr> left;
    if (hold) {
        units_->record_desired_states("stop", names, false, std::nullopt);
    } else {
        units_->clear_desired_states(names);
    }
    for (const auto& name : names)
        left.push_back(units_->unit_named("stop", name));
    std::exception_ptr first_failure;
    while (!left.empty()) {
        const auto next = without_dependents(left);
        std::vector<asio::awaitable<void>> stops;
        for (const auto& unit : next)
            stops.push_back(unit->stop(hold));
        for (const auto& failed : co_await util::all_of(std::move(stops))) {
            if (failed && !first_failure) first_failure = failed;
        }
        std::erase_if(left, [&](const unit_ptr& unit) {
            return std::find(next.begin(), next.end(), unit) != next.end();
        });
    }
    co_await units_->sync_desired_states();
    if (first_failure) std::rethrow_exception(first_failure);
}

asio::awaitable<void> registry::wait(std::string name, wait_condition condition) {
    for (;;) {
        const auto unit = units_->unit_named("wait for", name);
        if (condition == wait_condition::ready && unit->ready()) co_return;
        if (condition == wait_condition::stopped && !unit->running()) co_return;
        if (condition == wait_condition::idle && unit->idle()) co_return;
        if (condition == wait_condition::ready && unit->failed() && !unit->running()) {
            const std::string detail = unit->status().detail;
            throw failure(error_kind::unit_failed, cannot("wait for", name),
                          detail.empty() ? "it failed" : "it failed, " + detail, "hob logs " + name);
        }
        co_await unit->changes().wait();
    }
}

asio::awaitable<void> registry::wait_for_life(std::int64_t id) {
    for (;;) {
        const auto life = units_->context->runs.find(id);
        if (!life || life->kind != record_kind::life || life->state != run_state::running) co_return;
        const auto unit = units_->context->find(life->task);
        if (!unit) co_return;
        co_await unit->changes().wait();
    }
}

asio::awaitable<void> registry::drain() {
    units_->context->draining = true;
    units_->context->drain_began->set();
    const failure ending(error_kind::cancelled, cannot("attach", "a worker"), "the daemon is shutting down");
    for (const auto& [number, weak] : units_->context->attachments) {
        if (const auto attached = weak.lock()) attached->end(ending);
    }
    for (const auto& [number, weak] : units_->context->terminals) {
        if (const auto attached = weak.lock()) attached->end();
    }
    for (;;) {
        const auto left = units_->running();
        const auto busy = std::find_if(left.begin(), left.end(), [](const unit_ptr& unit) {
            return unit->spec().kind == unit_kind::task;
        });
        if (busy == left.end()) co_return;
        co_await (*busy)->changes().wait();
    }
}

asio::awaitable<void> registry::stop_all() {
    units_->context->closing = true;
    units_->context->drain_began->set();
    for (auto left = units_->running(); !left.empty(); left = units_->running()) {
        const auto next = without_dependents(left);
        std::vector<asio::awaitable<void>> stops;
        for (const auto& unit : next) {
            units_->stopped_at_end.push_back(unit);
            unit->request_stop("the daemon is shutting down");
            stops.push_back(unit->stop(false));
        }
        for (const auto& failed : co_await util::all_of(std::move(stops)))
            log_stop_failure(failed);
    }
    units_->context->cgroups->remove_empty();
}

std::vector<unit_status> registry::ended_badly() const {
    std::vector<unit_status> found;
    for (const auto& unit : units_->stopped_at_end) {
        if (!unit->last_stop().text().empty()) found.push_back(unit->status());
    }
    return found;
}

void registry::kill_all() {
    units_->context->closing = true;
    units_->context->drain_began->set();
    for (const auto& unit : units_->running())
        unit->kill_now();
}

}  // namespace hob::unit
