#pragma once
// A status object (man page hob-status(1), OUTPUT) as people read it.

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "lifecycle/application.hpp"
#include "lifecycle/daemon_state.hpp"

namespace hob::cmd {

struct unit_view {
    std::string name, kind, state, exit, detail;
    std::int64_t pid = 0;  // 0: none
    std::string since;     // RFC 3339, or empty
    std::int64_t restarts = 0;
    bool failing = false;
    bool enabled = true;
    bool leaves_processes = false;  // that could not be ended; `detail` says so
    std::optional<std::int64_t> rss_kib, cpu_ms;
    std::int64_t memory_max = 0;              // bytes; 0: no limit
    bool memory_measured = false;             // not the kernel enforces it
    std::vector<std::string> without_effect;  // the keys of limits that have none
    std::string waiting_for;                  // the unit that it waits for
    std::string probe, probe_failure;         // of a unit that starts: how hob checks readiness
    std::string port_taken;                   // a JSON object, or empty
    std::string next_at;                      // RFC 3339, or empty
    std::string last_run_state;               // of a task; empty: it has never run
    std::optional<std::int64_t> last_run_exit;
};

struct status_view {
    std::string instance, root, version, config, degraded;
    std::string state;                                    // as text, also one of another version
    std::optional<lifecycle::daemon_state> daemon_state;  // nullopt: unknown to this version
    std::optional<lifecycle::config_state> config_state;
    std::int64_t pid = 0;
    std::optional<std::int64_t> uptime_ms, clients, rss_kib;
    bool lacks_keeper = false;
    std::vector<std::string> kept;  // settings of its starter that the daemon could not undo
    std::vector<std::pair<std::string, std::int64_t>> ports;  // of [ports]
    std::vector<unit_view> units;
};

// Members that are missing or of another type are empty, so that an older or newer daemon is still shown.
status_view read_status(std::string_view status_json);

// Adds to `kept` the namespaces that the daemon with this pid is in and this process is not.
void add_namespaces_apart(status_view& status, pid_t daemon);

// The units of a reply, {"units":[…]}.
std::vector<unit_view> read_units(std::string_view reply_json);

// "db  ready (pid 12)"
std::string unit_line(const unit_view& unit);

// The daemon's line, then the table of units. `verbose`: also what is nearly always the same.
std::string render_status(const status_view& status, const terminal& out, bool verbose);
// The same, drawn again and again: columns keep their widths.
std::string render_status(const status_view& status, const terminal& out, bool verbose,
                          column_widths& widths);

// The table of units alone.
std::string render_units(const std::vector<unit_view>& units, const terminal& out);

// A service that is ready, a worker that is warm or cold, a task whose last run did not fail.
bool is_well(const unit_view& unit);

// How a state is shown everywhere: its mark, one column wide, and its colour.
struct state_look {
    std::string_view mark;
    std::string_view code;  // ANSI, or empty
};
state_look look_of_state(std::string_view state, bool utf8);

// How long ago an RFC 3339 time was, "3m12s"; empty if it is no time.
std::string age_of(std::string_view rfc3339);

}  // namespace hob::cmd
