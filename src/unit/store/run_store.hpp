#pragma once
// The history of runs and of the lives of services, and the state of schedules, in the database of
// unit/store/store.hpp. A write survives a crash of this process when it returns, and a crash of the machine
// once store::log_path() has been synced: sync it (unit_context::disk) before you acknowledge the write. One
// thread. Each write is one small transaction and waits for another process's lock for at most
// limits::store_busy_timeout.

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "unit/spec/run_record.hpp"
#include "unit/spec/spec.hpp"
#include "unit/store/store.hpp"

namespace hob::unit {

struct schedule_record {
    std::string rule;  // the rule that the rest is of, such as "every 300000"
    std::chrono::system_clock::time_point anchor;
    std::chrono::system_clock::time_point last_slot;  // the last slot that ran or was recorded as skipped
};

struct run_query {
    std::optional<std::string> task{};  // or service
    std::size_t limit = 0;              // 0: all
    bool failed = false;                // only those that failed, ran out of time or were lost
    // Only those that began then or later, and before. These are ordered by that time, others by their ids.
    std::optional<std::chrono::system_clock::time_point> since{};
    std::optional<std::chrono::system_clock::time_point> until{};

    bool matches(const run_record& run) const;
};

class run_store {
public:
    explicit run_store(store& db) : db_(db) {}

    // Returns the id of the new record of a run that begins: that of `run`, unless it is 0. Throws
    // failure(unit_failed) when it cannot be written.
    std::int64_t add(const run_record& run);
    std::int64_t next_id();  // that the next new record will have
    // Writes what may change while it runs: all but id, kind, task, trigger and start.
    void update(const run_record& run);
    // As update(), for a run that has ended; also forgets runs beyond `keep`.
    void end(const run_record& run, const keep_spec& keep);
    // As add() and end(), for a run that never began.
    void add_ended(const run_record& run, const keep_spec& keep);
    // Forgets ended runs beyond `keep`, the oldest first. Of `size`, the newest is kept in any case.
    void prune(const std::string& task, const keep_spec& keep);
    // Marks the runs that a previous daemon left running as lost, but not `runs`, and not the lives of
    // `services`: these go on. Returns their number.
    int mark_running_lost(const std::set<std::string, std::less<>>& services = {},
                          const std::set<std::int64_t>& runs = {});

    // Removes the lives of these services that are running by their record: their daemon died after the
    // record and before the process.
    void remove_unstarted_lives(const std::set<std::string, std::less<>>& services);

    std::optional<run_record> find(std::int64_t id);
    std::optional<run_record> last_of(const std::string& task);  // skipped runs are left out
    std::vector<run_record> list(const run_query& query);        // newest first
    // There was a run of this id, and it is forgotten.
    bool was_forgotten(std::int64_t id);

    std::optional<schedule_record> schedule(const std::string& task);
    void set_schedule(const std::string& task, const schedule_record& record);

private:
    // Of the ended runs of a task.
    struct totals {
        std::int64_t runs = 0;
        std::optional<std::int64_t> bytes{};  // of their output; nullopt: not needed yet
    };
    struct excess {
        std::int64_t last_id = 0;  // forget all ended runs up to this one; 0: none
        totals left;
    };

    totals totals_of(const std::string& task, const keep_spec& keep);
    excess find_excess(const std::string& task, totals all, const keep_spec& keep);
    void forget(const std::string& task, std::int64_t last_id);

    store& db_;
    std::map<std::string, totals> totals_;  // of tasks for which they were needed
};

// The same from the file, for use without a daemon. `daemon_gone`: report running runs as lost. Empty when
// there is no database. Throws failure(denied) when it cannot be read.
std::vector<run_record> read_runs(const std::string& database_path, const run_query& query, bool daemon_gone);
std::optional<run_record> read_run(const std::string& database_path, std::int64_t id);
bool read_was_forgotten(const std::string& database_path, std::int64_t id);
std::optional<schedule_record> read_schedule(const std::string& database_path, const std::string& task);

}  // namespace hob::unit
