#pragma once
// What a worker leaves with the keeper for another program in the daemon's process: its note, and as text its
// record.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lifecycle/keeper_link.hpp"

namespace hob::unit {

// The keeper holds a worker under this and its name, from hand_over() on until the next program has it.
inline constexpr std::string_view held_worker_prefix = "worker/";

struct worker_note {
    std::int64_t version = 0;     // see carried_version
    std::int64_t pid = 0;         // 0: it has no process
    std::int64_t start_time = 0;  // of the process
};

struct worker_record {
    std::string state{};
    std::int64_t since = 0;
    std::int64_t restarts = 0;
    std::int64_t exit = -1;  // of its last process; -1: not known
    bool exit_by_signal = false;
    bool exit_with_core = false;
    std::string killed_for{};
    bool died = false;
    bool failure_reported = false;
    bool has_environment = false;
    std::string environment{};  // of who started it; packed
    std::int64_t last_id = 0;
    std::string events{};
    std::string activity{};
    // Of its process.
    std::string definition{};
    std::string started_with{};
    std::string cgroup{};
    std::string protocol{};
    std::string address{};
    std::string framing{};
    std::string unwritten{};  // base64
    std::string last_words{};  // base64
    std::string unfinished_output{};  // base64; of a line that is not in the log yet
    std::string unfinished_error{};   // likewise
    std::string capabilities{};
    std::string session{};
    std::vector<std::string> ignored{};  // ids
    std::int64_t last_used = 0;          // by the steady clock, which goes on; ns
    std::int64_t noise_lines = 0;
    std::int64_t unexpected_answers = 0;
};

std::string to_json(const worker_note& note);
std::optional<std::string> to_json(const worker_record& record);  // nullopt: it cannot be told exactly
std::optional<worker_record> parse_worker_record(const std::string& text);

// The note of a worker; its pid is 0 unless the process is a child of this one, as it is when another program
// has taken over in the process. nullopt: it is of another version.
std::optional<worker_note> carried_worker(const lifecycle::held_entry& held);

}  // namespace hob::unit
