#pragma once
// The status of a unit, for status and events.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ipc/unit_state.hpp"
#include "unit/spec/port_user.hpp"
#include "unit/spec/run_record.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

struct unit_status {
    std::string name;
    unit_kind kind = unit_kind::worker;
    ipc::unit_state state = ipc::unit_state::cold;
    pid_t pid = 0;       // 0: no process
    std::string cgroup;  // directory of its control group; empty: it has none
    std::optional<std::chrono::system_clock::time_point> since;  // when it entered this state
    bool failing = false;  // it has failed, or is restarted again and again, or its last run failed
    int restarts = 0;      // starts after an end that nobody asked for
    std::optional<std::string> exit;  // of its last process: "0", "3", "signal 9"; nullopt: none has ended
    std::string detail;               // why it failed, what it waits for; may be empty
    std::string waiting_for;          // the unit that it waits for; empty: none
    std::string probe;                // while it starts: what tells that it is ready; empty: nothing is asked
    std::string probe_failure;        // why that has not succeeded yet; may be empty
    std::optional<port_user> port_taken;  // the other program that has the port which it needs
    std::vector<pid_t> left;              // processes of it that could not be ended
    bool changed = false;  // a process runs with an earlier definition than the configuration has
    bool enabled = true;   // see unit_spec::enabled
    bool is_new = false;   // the user has not named it as it is defined now, so it does not start by itself
    std::optional<std::chrono::system_clock::time_point> next_at;  // the next time of its schedule
    std::optional<run_record> last_run;                            // of a task: the run that began last
    resource_spec resources;                                       // that its process is limited to
    std::vector<std::string> without_effect;  // the keys of these that have no effect on it
    bool memory_measured = false;             // not the kernel enforces memory_max: hob measures
    std::optional<std::int64_t> rss_kib;      // of all its processes; only where requested
    std::optional<std::int64_t> cpu_ms;       // likewise, with the children that they have waited for
};

}  // namespace hob::unit
