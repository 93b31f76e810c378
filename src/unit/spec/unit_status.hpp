#pragma once
// What a unit is doing, as status and events tell it.

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "ipc/unit_state.hpp"
#include "unit/spec/run_record.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

struct unit_status {
    std::string name;
    unit_kind kind = unit_kind::worker;
    ipc::unit_state state = ipc::unit_state::cold;
    pid_t pid = 0;       // 0: none
    std::string cgroup;  // the directory of its processes'; empty: none
    std::optional<std::chrono::system_clock::time_point> since;  // when it came into this state
    int restarts = 0;                                            // starts after a death that nobody asked for
    std::optional<std::string>
        exit;  // how its last process ended: "0", "3", "signal 9"; nullopt: it never ended
    std::string
        detail;  // a few words about the state, such as why it failed or what it waits for; may be empty
    bool changed = false;  // a process runs with an earlier definition than the configuration has
    std::optional<std::chrono::system_clock::time_point> next_at;  // when its schedule is due
    std::optional<run_record> last_run;                            // of a task; the one that began last
    std::optional<std::int64_t> rss_kib;  // of all its processes, where it was asked for and any runs
    std::optional<std::int64_t> cpu_ms;   // likewise; of those that live, and what they have waited for
};

}  // namespace hob::unit
