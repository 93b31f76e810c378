#pragma once
// The history of runs, and what schedules remember, in the database of unit/store/store.hpp. What a write
// here has returned from survives a crash of this process, and one of the machine once store::log_path() has
// been made durable: whoever acknowledges it waits for that (unit_context::disk). One thread: each write is
// one small transaction, and waits for a lock of others for at most limits::store_busy_timeout.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "unit/spec/run_record.hpp"
#include "unit/store/store.hpp"

namespace hob::unit {

struct schedule_record {
    std::string rule;  // what the rest belongs to, such as "every 300000"
    std::chrono::system_clock::time_point anchor;
    std::chrono::system_clock::time_point last_slot;  // the last one that was acted upon
};

struct run_query {
    std::optional<std::string> task;
    std::size_t limit = 0;  // 0: all
};

class run_store {
public:
    explicit run_store(store& db) : db_(db) {}

    // The record's id is given here. Throws failure(unit_failed) when it cannot be written.
    std::int64_t add(const run_record& run);
    // State, end, exit and what it used.
    void finish(const run_record& run);
    // Forgets all but the newest `keep` ended runs of the task.
    void prune(const std::string& task, int keep);
    // What a predecessor left running is lost; how many.
    int lose_running();

    std::optional<run_record> find(std::int64_t id);
    std::optional<run_record> last_of(const std::string& task);  // skipped ones do not count
    std::vector<run_record> list(const run_query& wanted);       // newest first

    std::optional<schedule_record> schedule(const std::string& task);
    void set_schedule(const std::string& task, const schedule_record& record);

private:
    store& db_;
};

// The same from the file alone, for when no daemon can be asked. `daemon_gone`: then runs that are marked
// running are lost. Empty when there is no database. Throws failure(denied) when it cannot be read.
std::vector<run_record> read_runs(const std::string& database_path, const run_query& wanted,
                                  bool daemon_gone);
std::optional<run_record> read_run(const std::string& database_path, std::int64_t id);
std::optional<schedule_record> read_schedule(const std::string& database_path, const std::string& task);
// The services that should be up.
std::vector<std::string> read_desired_up(const std::string& database_path);

}  // namespace hob::unit
