#pragma once
// The history of runs and the state of schedules, in the database of unit/store/store.hpp. A write survives a
// crash of this process when it returns, and a crash of the machine once store::log_path() has been synced:
// sync it (unit_context::disk) before you acknowledge the write. One thread. Each write is one small
// transaction and waits for another process's lock for at most limits::store_busy_timeout.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "unit/spec/run_record.hpp"
#include "unit/store/store.hpp"

namespace hob::unit {

struct schedule_record {
    std::string rule;  // the rule that the rest is of, such as "every 300000"
    std::chrono::system_clock::time_point anchor;
    std::chrono::system_clock::time_point last_slot;  // the last slot that ran or was recorded as skipped
};

struct run_query {
    std::optional<std::string> task;
    std::size_t limit = 0;  // 0: all
};

class run_store {
public:
    explicit run_store(store& db) : db_(db) {}

    // Returns the id of the new record. Throws failure(unit_failed) when it cannot be written.
    std::int64_t add(const run_record& run);
    // Writes state, cause, end, exit, signal and usage.
    void finish(const run_record& run);
    // Deletes all but the newest `keep` ended runs of the task.
    void prune(const std::string& task, int keep);
    // Marks the runs that a previous daemon left running as lost. Returns their number.
    int mark_running_lost();

    std::optional<run_record> find(std::int64_t id);
    std::optional<run_record> last_of(const std::string& task);  // skipped runs are left out
    std::vector<run_record> list(const run_query& query);        // newest first

    std::optional<schedule_record> schedule(const std::string& task);
    void set_schedule(const std::string& task, const schedule_record& record);

private:
    store& db_;
};

// The same from the file, for use without a daemon. `daemon_gone`: report running runs as lost. Empty when
// there is no database. Throws failure(denied) when it cannot be read.
std::vector<run_record> read_runs(const std::string& database_path, const run_query& query, bool daemon_gone);
std::optional<run_record> read_run(const std::string& database_path, std::int64_t id);
std::optional<schedule_record> read_schedule(const std::string& database_path, const std::string& task);

}  // namespace hob::unit
