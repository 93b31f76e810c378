#pragma once
// What the keeper remembers of a service, for the next daemon. A keeper may hold a thousand of these: usual
// values are defaults, which take no room.

#include <cstdint>
#include <optional>
#include <string>

#include "ipc/unit_state.hpp"

namespace hob::unit {

struct service_note {
    std::string state;       // name_of(unit_state)
    std::int64_t since = 0;  // of the state; milliseconds since 1970, as all times here
    std::string supervision = "up";  // or "none" or "ending"
    std::string detail;
    std::string stop_reason;
    std::string watch_held;
    std::string culprit;
    bool restart_requested = false;
    bool start_requested = false;
    bool dependencies_met = true;
    bool tasks_due = false;
    bool asked_to_stop = false;
    std::int64_t restarts = 0;
    std::int64_t restarts_in_a_row = 0;
    std::int64_t backoff = 0;        // milliseconds
    std::int64_t backoff_ends = 0;   // 0: it does not pause
    std::int64_t ends = 0;
    std::int64_t exit = -1;          // of the last process; -1: none
    bool exit_by_signal = false;

    // Of the process; `pid` 0: there is none.
    std::int64_t pid = 0;
    std::int64_t start_time = 0;
    std::int64_t main_pid = 0;       // another that has taken over; 0: none has
    std::int64_t life = 0;           // the id of its record; 0: none
    std::string definition;          // definition_mark() of the one that it was started with
    std::string cgroup;              // its name below that of the instance; "=": that of the unit
    std::string notify_address;
    std::string status_text;
    std::string failure_reason;
    std::int64_t watchdog = 0;       // milliseconds; 0: none
    std::int64_t start_ends = 0;     // until then it must be ready; 0: no limit
    bool signalled = false;          // its output or its notify socket said that it is ready
    bool was_ready = false;
    bool stop_requested = false;
};

std::string to_json(const service_note& note);
// nullopt: it is none. A member that is missing has its default.
std::optional<service_note> parse_service_note(const std::string& text);

}  // namespace hob::unit
