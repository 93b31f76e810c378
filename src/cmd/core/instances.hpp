#pragma once
// Every instance of this user, looked at without starting any.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lifecycle/instance.hpp"
#include "lifecycle/probe.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

// As the status object and `hob list` call it: alive is "running", dead is "stopped".
std::string state_name(lifecycle::daemon_state seen);

struct instance_view {
    lifecycle::instance where;
    std::string state =
        "stopped";  // running starting draining wedged stopped, or why it cannot be told: denied foreign
    pid_t pid = 0;  // 0: none
    std::string version;
    std::optional<std::int64_t> uptime_ms;
    std::string status_json;  // the status object; only where it was asked for
};

// Sorted by key. Those whose lock is held are greeted side by side, each within a second at most: one that
// does not answer holds up nobody. Throws failure when the directories themselves cannot be used.
std::vector<instance_view> look_at_instances(util::deadline limit, bool with_status);

// The same for one.
instance_view look_at_instance(const lifecycle::instance& where, util::deadline limit, bool with_status);

}  // namespace hob::cmd
