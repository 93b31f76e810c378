#pragma once
// One process of a service, from its launch until everything it left behind has ended.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unit/process/line_watch.hpp"
#include "unit/process/notify_socket.hpp"
#include "unit/process/process_io.hpp"
#include "unit/service/readiness.hpp"
#include "unit/service/service.hpp"
#include "unit/supervise/unit_process.hpp"
#include "unit/terminal/service_terminal.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"

namespace hob::unit {

struct service::service_process {
    explicit service_process(const boost::asio::any_io_executor& executor)
        : signalled(executor), output(executor), watchdog_changed(executor) {}

    ~service_process() {
        if (notify) notify->close();
    }
    service_process(const service_process&) = delete;
    service_process& operator=(const service_process&) = delete;

    // Of the terminal, after the last output.
    void disconnect() {
        slave.reset();
        if (terminal) std::exchange(terminal, nullptr)->disconnect();
    }

    // An assignment of {} would keep its memory.
    void forget_environment() { std::vector<std::string>().swap(environment); }

    const service_spec& settings() const { return std::get<service_spec>(spec->detail); }

    // With what its environment says. Without references also the service's, until it is reconfigured.
    std::shared_ptr<const unit_spec> spec;
    std::vector<std::string> environment;
    std::unique_ptr<unit_process> process;
    std::shared_ptr<process_io> io;              // also held by its own coroutines
    std::shared_ptr<service_terminal> terminal;  // also the service's; nullptr: it has none
    // Held open: its master reports an end when no process has it open, and a program may open it again.
    util::unique_fd slave;
    std::shared_ptr<notify_socket> notify;  // also held by its own coroutine
    std::unique_ptr<line_watch> lines;      // until the service is ready
    util::manual_reset_event signalled;     // a line matched, or READY=1 came
    util::notifier output;                  // rings when output came
    util::notifier watchdog_changed;        // WATCHDOG=1 came, or another interval, or the process has ended
    std::optional<std::chrono::milliseconds> watchdog;
    std::string status_text;     // STATUS= of sd_notify
    std::string failure_reason;  // why hob ended it, such as the watchdog; empty: hob did not
    attempt_failure not_yet;     // while it starts: why it is not ready
    std::string health_fault;    // how its last health check failed; empty: it is well
    util::deadline start_limit = util::deadline::never();  // for becoming ready
    bool was_ready = false;
    bool ended = false;
    bool adopted = false;  // a daemon before this one has started it
};

}  // namespace hob::unit
