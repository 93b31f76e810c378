#pragma once
// Every instance of this user. Starts no daemon.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lifecycle/instance.hpp"
#include "lifecycle/probe.hpp"
#include "util/deadline.hpp"

namespace hob::cmd {

struct instance_view {
    lifecycle::instance where;
    lifecycle::daemon_state state = lifecycle::daemon_state::dead;
    pid_t pid = 0;  // 0: none
    std::string version;
    std::optional<std::int64_t> uptime_ms;
    std::string status_json;  // the status object; empty without `with_status`
};

// Sorted by key. Probes them side by side, each for limits::glance_timeout at most, so that one that does not
// answer delays no other. Throws failure if the directories themselves cannot be used.
std::vector<instance_view> probe_instances(util::deadline limit, bool with_status);

// The same for one.
instance_view probe_instance(const lifecycle::instance& where, util::deadline limit, bool with_status);

}  // namespace hob::cmd
