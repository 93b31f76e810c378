#pragma once
// When a service counts as ready: started is not ready. A probe asks only while the service is starting, and
// never ends it.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "unit/spec/spec.hpp"
#include "util/async.hpp"

namespace hob::unit {

struct probe_target {
    std::shared_ptr<const unit_spec> spec;  // of a service
    std::vector<std::string> environment;   // K=V, what its process was given
    std::function<bool(pid_t)> belongs;     // whether a process is one of the service's
    util::manual_reset_event& told;         // a line matched, or READY=1 came
    std::string& why;                       // why it is not ready yet, for people; kept up to date
};

// Returns once the service is ready. Has no limit of its own: the caller cancels it.
boost::asio::awaitable<void> await_ready(probe_target target);

// One attempt each: true when it says ready, else `why` is set. Throws on cancellation.
boost::asio::awaitable<bool> probe_tcp(const ready_spec& wanted, const probe_target& target);
boost::asio::awaitable<bool> probe_http(const ready_spec& wanted, const probe_target& target);
boost::asio::awaitable<bool> probe_exec(const ready_spec& wanted, const probe_target& target);

}  // namespace hob::unit
