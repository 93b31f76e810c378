#pragma once
// What the keeper has of a run for the next daemon: what was asked for, as a text under one key, and how far
// the run has come, as the note of that key. Times are milliseconds since 1970.
//
//     queued/TASK/NUMBER   a run by a trigger that has not begun
//     run/ID               a run that has begun; held with its process and output once there is one

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hob::unit {

inline constexpr std::string_view held_run_prefix = "run/";
inline constexpr std::string_view held_queued_prefix = "queued/";

// It does not change.
struct run_order {
    std::string unit;                  // a task, or command_name
    std::vector<std::string> command;  // of a plain command
    std::string trigger;               // name_of(run_trigger)
    std::string cause;
    std::string dependent;
    std::vector<std::string> arguments;
    std::vector<std::string> variables;  // K=V
    std::int64_t attempt = 0;
    std::int64_t retry_of = 0;  // the id of the run that failed; 0: none
    std::int64_t due = 0;       // of a retry: not before this time
    std::string slot_rule;      // what the schedule is to remember; empty: nothing
    std::int64_t slot_anchor = 0;
    std::int64_t slot = 0;
    std::vector<std::string> environment;  // of its caller; empty: the daemon's
    std::string cwd;                       // empty: as its unit says
    std::int64_t umask = -1;               // -1: that of units
    std::vector<std::string> limits;       // "RESOURCE SOFT HARD", in numbers
    bool input = false;                    // a pipe, which its client writes to
    bool terminal = false;
    std::int64_t rows = 0;
    std::int64_t columns = 0;
    bool by_client = false;  // a client follows it, and it is not to outlive that client
    std::string token;       // of that client's request; empty: it gave none
};

// With its `text`, until it has a process: the standard input that its client has handed over.
inline constexpr std::string_view held_input_role = "input";

struct run_progress {
    std::string cgroup;    // its name below that of the instance
    std::string cause;
    std::string ended_by;  // name_of(run_state): it is to end so; empty: not asked for
    std::int64_t limit_ends = 0;
    bool outlives_client = false;
};

struct run_parameters;
// `order` gets what both have.
void put_parameters(const run_parameters& parameters, run_order& order);
run_parameters parameters_of(const run_order& order);

// Who asked for it does so again, if it has no number when a daemon dies.
bool is_asked_for_again(const run_order& order);
// Who asked for it cannot find it again by its number either, if it has no process when a daemon dies.
bool is_lost_without_process(const run_order& order);

std::string to_json(const run_order& order);
std::string to_json(const run_progress& progress);
// nullopt: it is none.
std::optional<run_order> parse_run_order(const std::string& text);
std::optional<run_progress> parse_run_progress(const std::string& text);

}  // namespace hob::unit
