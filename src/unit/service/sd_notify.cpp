// What a service says of itself over its notify socket, and its watchdog.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "unit/service/service_process.hpp"
#include "util/duration.hpp"

namespace hob::unit {

namespace asio = boost::asio;

notify_socket::handlers service::notify_handlers(const std::shared_ptr<service_process>& of) {
    const std::weak_ptr<service> weak_service = self();
    const std::weak_ptr<service_process> weak_process = of;
    const auto with = [weak_service, weak_process](auto handle) {
        return [weak_service, weak_process, handle](auto... arguments) {
            const auto owner = weak_service.lock();
            const auto current = weak_process.lock();
            if (owner && current) handle(*owner, *current, std::move(arguments)...);
        };
    };
    const auto set_status = [](service& owner, service_process& current, std::string text) {
        if (current.status_text == text) return;
        current.status_text = std::move(text);
        owner.remember();
        if (owner.context_->options.changed) owner.context_->options.changed();
    };
    notify_socket::handlers on;
    on.ready = with([](service& owner, service_process& current) {
        if (current.signalled.is_set()) return;
        current.signalled.set();
        owner.remember();
    });
    on.alive = with([](service&, service_process& current) { current.watchdog_changed.ring(); });
    on.status = with(set_status);
    on.stopping = with([set_status](service& owner, service_process& current) {
        set_status(owner, current, "it is stopping by itself");
    });
    on.trigger = with([](service& owner, service_process& current) {
        current.failure_reason = "its watchdog was triggered by itself";
        current.process->request_stop();
        owner.remember();
    });
    on.set_interval = with([](service& owner, service_process& current, std::chrono::microseconds interval) {
        current.watchdog = std::max(std::chrono::duration_cast<milliseconds>(interval), milliseconds(1));
        owner.remember();
        current.watchdog_changed.ring();
    });
    on.extend_timeout = with([](service& owner, service_process& current, std::chrono::microseconds time) {
        const auto rounded = std::chrono::ceil<milliseconds>(time);
        const auto extended = util::deadline::in(rounded);
        if (extended.remaining() > current.start_limit.remaining()) current.start_limit = extended;
        current.process->extend_stop(rounded);
        owner.remember();
    });
    on.main_pid = with([](service& owner, service_process& current, pid_t pid) {
        if (!current.process->set_main(pid)) return;
        owner.remember();
        if (owner.context_->options.changed) owner.context_->options.changed();
    });
    return on;
}

void service::adopt_notify_socket(const std::shared_ptr<service_process>& adopted, util::unique_fd socket,
                                  const std::string& address) {
    adopted->notify = notify_socket::adopt(context_->options.executor, std::move(socket), address,
                                           notify_handlers(adopted));
}

void service::open_notify_socket(const std::shared_ptr<service_process>& launching) {
    launching->notify = notify_socket::make(context_->options.executor, notify_handlers(launching));
    launching->environment.push_back("NOTIFY_SOCKET=" + launching->notify->address());
    if (launching->watchdog) {
        const auto microseconds = std::chrono::microseconds(*launching->watchdog).count();
        launching->environment.push_back(fmt::format("WATCHDOG_USEC={}", microseconds));
    }
}

asio::awaitable<void> service::enforce_watchdog(std::shared_ptr<service_process> current) {
    const auto alive = self();
    while (!current->ended && !current->process->stop_requested()) {
        const auto interval = current->watchdog.value_or(milliseconds::max());
        const bool changed = co_await util::within(interval, current->watchdog_changed.wait());
        if (changed || current->ended || current->process->stop_requested()) continue;
        current->failure_reason =
            fmt::format("its watchdog heard nothing for {}", util::format_duration(interval));
        current->process->request_stop();
        remember();
    }
}

}  // namespace hob::unit
