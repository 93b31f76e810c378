// Several units at once, in the order that `after` asks for, and waits for what they come to.
#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "unit/protocol/attachment.hpp"
#include "unit/registry/registry_impl.hpp"
#include "util/async.hpp"
#include "util/log.hpp"

namespace hob::unit {

namespace asio = boost::asio;

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// Of a stop that nobody waits for.
void tell(const std::exception_ptr& failed) {
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

// Of those that still run, the ones that no other of them comes after: nothing needs them any more.
std::vector<unit_ptr> needed_by_none(const std::vector<unit_ptr>& units) {
    std::vector<unit_ptr> found;
    for (const auto& one : units) {
        const bool needed = std::any_of(units.begin(), units.end(), [&](const unit_ptr& other) {
            return contains(other->spec().after, one->spec().name);
        });
        if (!needed) found.push_back(one);
    }
    return found.empty() ? units : found;
}

}  // namespace

asio::awaitable<void> registry::start_units(std::vector<std::string> names,
                                            std::optional<std::vector<std::string>> caller_environment) {
    impl_->record_desired_states("start", names, true, caller_environment);
    std::vector<asio::awaitable<void>> starts;
    starts.push_back(impl_->desired_states_are_durable());
    for (const auto& name : names)
        starts.push_back(impl_->unit_named("start", name)->start(caller_environment));
    throw_first(co_await util::all_of(std::move(starts)));
}

asio::awaitable<void> registry::restart_units(std::vector<std::string> names,
                                              std::optional<std::vector<std::string>> caller_environment) {
    std::vector<asio::awaitable<void>> restarts;
    for (const auto& name : names)
        restarts.push_back(impl_->unit_named("restart", name)->restart(caller_environment));
    throw_first(co_await util::all_of(std::move(restarts)));
}

asio::awaitable<void> registry::stop_units(std::vector<std::string> names) {
    std::vector<unit_ptr> left;
    impl_->record_desired_states("stop", names, false, std::nullopt);
    for (const auto& name : names)
        left.push_back(impl_->unit_named("stop", name));
    std::exception_ptr first_failed;
    while (!left.empty()) {
        const auto next = needed_by_none(left);
        std::vector<asio::awaitable<void>> stops;
        for (const auto& one : next)
            stops.push_back(one->stop(true));
        for (const auto& failed : co_await util::all_of(std::move(stops))) {
            if (failed && !first_failed) first_failed = failed;
        }
        std::erase_if(left, [&](const unit_ptr& one) {
            return std::find(next.begin(), next.end(), one) != next.end();
        });
    }
    co_await impl_->desired_states_are_durable();
    if (first_failed) std::rethrow_exception(first_failed);
}

asio::awaitable<void> registry::wait(std::string name, wanted_state wanted) {
    for (;;) {
        const auto one = impl_->unit_named("wait for", name);
        if (wanted == wanted_state::ready && one->ready()) co_return;
        if (wanted == wanted_state::stopped && !one->running()) co_return;
        if (wanted == wanted_state::idle && one->idle()) co_return;
        if (wanted == wanted_state::ready && one->failed() && !one->running()) {
            const std::string why = one->status().detail;
            throw failure(
                error_kind::unit_failed,
                fmt::format("cannot wait for '{}': it failed{}", name, why.empty() ? "" : ", " + why),
                fmt::format("hob logs {}", name));
        }
        co_await one->changes().wait();
    }
}

asio::awaitable<void> registry::drain() {
    impl_->context->draining = true;
    const failure ending(error_kind::cancelled, cannot("attach"), "the daemon is shutting down");
    for (const auto& [number, one] : impl_->context->attachments) {
        if (const auto attached = one.lock()) attached->end(ending);
    }
    for (;;) {
        const auto left = impl_->running();
        const auto busy = std::find_if(left.begin(), left.end(), [](const unit_ptr& one) {
            return one->spec().kind == unit_kind::task;
        });
        if (busy == left.end()) co_return;
        co_await (*busy)->changes().wait();
    }
}

asio::awaitable<void> registry::stop_all() {
    impl_->context->closing = true;
    for (auto left = impl_->running(); !left.empty(); left = impl_->running()) {
        const auto next = needed_by_none(left);
        std::vector<asio::awaitable<void>> stops;
        for (const auto& one : next) {
            one->request_stop("the daemon is shutting down");
            stops.push_back(one->stop(false));
        }
        for (const auto& failed : co_await util::all_of(std::move(stops)))
            tell(failed);
    }
    impl_->context->cgroups->remove_empty();
}

void registry::kill_all() {
    impl_->context->closing = true;
    for (const auto& one : impl_->running())
        one->kill_now();
}

}  // namespace hob::unit
