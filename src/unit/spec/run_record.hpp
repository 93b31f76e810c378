#pragma once
// The record of one execution of a task, or of a command that `hob run --` was given, and of one life of a
// service: of one of its processes, from its start to its end.

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ipc/run_state.hpp"

namespace hob::unit {

using ipc::run_state;

// The task name in the record of a plain command. No unit can have it.
inline constexpr std::string_view command_name = "-";

enum class run_trigger : std::uint8_t { manual, timer, cron, watch, start, retry, after };

enum class record_kind : std::uint8_t { run, life };

std::string_view name_of(run_trigger trigger);
std::string_view name_of(record_kind kind);
std::optional<record_kind> record_kind_named(std::string_view name);
std::optional<run_trigger> run_trigger_named(std::string_view name);

struct run_record {
    std::int64_t id = 0;
    record_kind kind = record_kind::run;
    std::string task;  // of a life: the service
    run_trigger trigger = run_trigger::manual;
    std::string cause;  // a few words: the caller, the files that changed, why it was skipped
    run_state state = run_state::running;
    std::chrono::system_clock::time_point started_at;
    std::optional<std::chrono::system_clock::time_point> ended_at;
    std::optional<std::int64_t> exit;    // the exit status
    std::optional<std::int64_t> signal;  // the signal that ended it
    std::optional<std::int64_t> cpu_ms;
    std::optional<std::int64_t> max_rss_kib;                          // of the largest of its processes
    std::optional<std::chrono::system_clock::time_point> ready_at{};  // of a life
    std::optional<std::int64_t> restarts{};  // of a life: how many crashes in a row were before it
    std::optional<std::int64_t> output_bytes{};
    // The names of the variables in which its environment differs from the daemon's base, sorted. Only
    // run_store::find() reads them.
    std::vector<std::string> environment{};

    std::optional<std::int64_t> duration_ms() const;
    void note_usage(const rusage& used);
};

// {"id","kind","task","trigger","cause","started_at","ended_at","duration_ms","state","exit","signal",
// "cpu_ms","max_rss_kib","log"}, of a life also "ready_at" and "restarts"; `log_dir`: the directory of the
// units' logs; empty: "log" is left out.
std::string run_json(const run_record& run, const std::string& log_dir = {});
std::string runs_json(const std::vector<run_record>& runs, const std::string& log_dir);

}  // namespace hob::unit
