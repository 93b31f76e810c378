#pragma once
// One execution of a task, or of a command that was given to the daemon: what is remembered of it.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hob::unit {

// What stands for the task of a command that is none: no unit can have this name.
inline constexpr std::string_view command_name = "-";

enum class run_state : std::uint8_t { running, ok, failed, timeout, cancelled, lost, skipped };
enum class run_trigger : std::uint8_t { manual, timer, cron, watch, start, retry };

std::string_view name_of(run_state state);
std::string_view name_of(run_trigger trigger);

struct run_record {
    std::int64_t id = 0;
    std::string task;
    std::string trigger;  // a name of run_trigger
    std::string cause;    // a few words: who asked, which files changed, why it was skipped
    std::string state;    // a name of run_state
    std::chrono::system_clock::time_point started_at;
    std::optional<std::chrono::system_clock::time_point> ended_at;
    std::optional<std::int64_t> exit;    // status, where it exited
    std::optional<std::int64_t> signal;  // where a signal ended it
    std::optional<std::int64_t> cpu_ms;
    std::optional<std::int64_t> max_rss_kib;  // of its largest process

    std::optional<std::int64_t> duration_ms() const;
};

// {"id","task","trigger","cause","started_at","ended_at","duration_ms","state","exit","signal","cpu_ms",
// "max_rss_kib","log"}; `log_dir`: where the logs of units are; empty: without "log".
std::string run_json(const run_record& run, const std::string& log_dir = {});
std::string runs_json(const std::vector<run_record>& runs, const std::string& log_dir);

}  // namespace hob::unit
