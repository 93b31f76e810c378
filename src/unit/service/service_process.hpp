#pragma once
// One process of a service, from fork to the last leftover.

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "unit/process/line_watch.hpp"
#include "unit/process/notify_socket.hpp"
#include "unit/process/process_io.hpp"
#include "unit/service/service.hpp"
#include "unit/supervise/unit_process.hpp"

namespace hob::unit {

struct service::service_process {
    explicit service_process(const boost::asio::any_io_executor& executor)
        : told(executor), alive(executor) {}

    ~service_process() {
        if (notify) notify->close();
    }
    service_process(const service_process&) = delete;
    service_process& operator=(const service_process&) = delete;

    const service_spec& what() const { return std::get<service_spec>(spec->detail); }

    std::shared_ptr<const unit_spec> spec;  // also the service's, until it is reconfigured
    std::vector<std::string> environment;
    std::unique_ptr<unit_process> process;
    std::shared_ptr<process_io> io;         // also held by its own coroutines
    std::shared_ptr<notify_socket> notify;  // also held by its own coroutine
    std::unique_ptr<line_watch> lines;      // until it is ready
    util::manual_reset_event told;          // a line matched, or READY=1 came
    util::notifier alive;                   // a WATCHDOG=1 came, or another interval
    std::optional<std::chrono::milliseconds> watchdog;
    std::string status_text;  // STATUS= of sd_notify
    std::string verdict;      // why it was ended by us, such as the watchdog
    std::optional<std::chrono::steady_clock::time_point> ready_since;
    bool over = false;
};

}  // namespace hob::unit
