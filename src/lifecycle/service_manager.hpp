#pragma once
// What a daemon tells the service manager that started it (sd_notify(3)). The only place that does. All of it
// does nothing where no service manager asked for it.

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hob::lifecycle {

class service_manager {
public:
    service_manager() = default;  // none
    // From NOTIFY_SOCKET, and from WATCHDOG_USEC and WATCHDOG_PID, which names `started`: the process that the
    // manager has started, this one or its keeper.
    static service_manager from_environment(pid_t started);

    explicit operator bool() const { return !address_.empty(); }

    void ready(std::string_view status) const;
    void reloading() const;  // until the next ready()
    // `allowed`: how long it may take from now on.
    void stopping(std::string_view reason, std::chrono::milliseconds allowed) const;

    // The longest time between two alive(). nullopt: the manager does not wait for them.
    std::optional<std::chrono::microseconds> watchdog() const { return watchdog_; }
    void alive() const;

private:
    void send(const std::string& message) const;

    std::string address_;  // of the socket: a path, or an abstract name after a '@'
    std::optional<std::chrono::microseconds> watchdog_;
};

// Tells the manager that the configuration is read again, and at its end that this is over.
class reload_notice {
public:
    reload_notice(const service_manager& manager, std::string_view status)
        : manager_(manager), status_(status) {
        manager_.reloading();
    }
    ~reload_notice() { manager_.ready(status_); }
    reload_notice(const reload_notice&) = delete;
    reload_notice& operator=(const reload_notice&) = delete;

private:
    const service_manager& manager_;
    std::string status_;
};

}  // namespace hob::lifecycle
