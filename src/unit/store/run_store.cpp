#include "unit/store/run_store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <limits>
#include <utility>

#include "error.hpp"
#include "unit/store/reader.hpp"
#include "unit/store/run_rows.hpp"
#include "unit/store/sqlite_statement.hpp"
#include "util/nul_list.hpp"

namespace hob::unit {
namespace {

using std::chrono::system_clock;

std::optional<schedule_record> schedule_in(sqlite3* db, const std::string& task) {
    sqlite_statement select(db, "SELECT rule, anchor, last_slot FROM schedule WHERE task = ?");
    select.bind(task);
    if (!select.row()) return std::nullopt;
    return schedule_record{select.text(0), time_of_ms(select.number(1)), time_of_ms(select.number(2))};
}

}  // namespace

std::int64_t run_store::add(const run_record& run) {
    const store::without_sync unsynced(db_);
    sqlite_statement statement(db_.handle(),
                               "INSERT INTO run (id, kind, task, trigger, cause, state, started_at, "
                               "ended_at, restarts, environment) "
                               "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    const std::string environment = util::join_nul_list(run.environment);
    if (run.id == 0) {
        statement.bind_null();
    } else {
        statement.bind(run.id);
    }
    statement.bind(name_of(run.kind)).bind(run.task).bind(name_of(run.trigger)).bind(run.cause);
    statement.bind(name_of(run.state)).bind(ms_of(run.started_at)).bind(ms_of(run.ended_at));
    statement.bind(run.restarts);
    if (environment.empty()) {
        statement.bind_null();
    } else {
        statement.bind(environment);
    }
    if (db_.write(statement, "run")) return ::sqlite3_last_insert_rowid(db_.handle());
    throw failure(error_kind::unit_failed, cannot("run", run.task),
                  fmt::format("its record cannot be written: {}", ::sqlite3_errmsg(db_.handle())));
}

void run_store::update(const run_record& run) {
    const store::without_sync unsynced(db_);
    sqlite_statement statement(
        db_.handle(),
        "UPDATE run SET state = ?, cause = ?, ended_at = ?, exit = ?, signal = ?, cpu_ms = ?, "
        "max_rss_kib = ?, ready_at = ?, output_bytes = ? WHERE id = ?");
    statement.bind(name_of(run.state)).bind(run.cause).bind(ms_of(run.ended_at)).bind(run.exit);
    statement.bind(run.signal).bind(run.cpu_ms).bind(run.max_rss_kib).bind(ms_of(run.ready_at));
    statement.bind(run.output_bytes).bind(run.id);
    db_.write(statement, "run");
}

std::int64_t run_store::next_id() {
    sqlite_statement last(db_.handle(), "SELECT seq FROM sqlite_sequence WHERE name = 'run'");
    return last.row() ? last.number(0) + 1 : 1;
}

// What is to be forgotten is found before the transaction, which may be tried twice.
void run_store::end(const run_record& run, const keep_spec& keep) {
    totals all = totals_of(run.task, keep);
    ++all.runs;
    if (all.bytes) *all.bytes += run.output_bytes.value_or(0);
    const excess beyond = find_excess(run.task, all, keep);
    db_.transaction([&] {
        update(run);
        forget(run.task, beyond.last_id);
    });
    totals_[run.task] = beyond.left;
}

void run_store::add_ended(const run_record& run, const keep_spec& keep) {
    totals all = totals_of(run.task, keep);
    add(run);
    ++all.runs;
    totals_[run.task] = all;
    prune(run.task, keep);
}

void run_store::prune(const std::string& task, const keep_spec& keep) {
    const excess beyond = find_excess(task, totals_of(task, keep), keep);
    forget(task, beyond.last_id);
    totals_[task] = beyond.left;
}

// Counting entries of an index is fast; adding up sizes reads every row.
run_store::totals run_store::totals_of(const std::string& task, const keep_spec& keep) {
    const auto known = totals_.find(task);
    totals found = known == totals_.end() ? totals{} : known->second;
    if (known == totals_.end()) {
        sqlite_statement select(db_.handle(),
                                "SELECT (SELECT count(*) FROM run WHERE task = ?1) - (SELECT count(*) FROM "
                                "run INDEXED BY run_running WHERE state = 'running' AND task = ?1)");
        select.bind(task);
        if (select.row()) found.runs = select.number(0);
    }
    if (keep.size && !found.bytes) {
        sqlite_statement select(db_.handle(),
                                "SELECT total(output_bytes) FROM run WHERE task = ? AND state <> 'running'");
        select.bind(task);
        found.bytes = select.row() ? select.number(0) : 0;
    }
    return totals_[task] = found;
}

run_store::excess run_store::find_excess(const std::string& task, totals all, const keep_spec& keep) {
    excess beyond{0, all};
    const auto oldest_end =
        keep.age ? ms_of(system_clock::now() - *keep.age) : std::numeric_limits<std::int64_t>::min();
    const auto too_many = [&] { return keep.runs > 0 && beyond.left.runs > keep.runs; };
    const auto too_large = [&] {
        return keep.size && beyond.left.runs > 1 &&
               std::cmp_greater(beyond.left.bytes.value_or(0), *keep.size);
    };
    if (!keep.age && !too_many() && !too_large()) return beyond;
    sqlite_statement oldest(db_.handle(),
                            "SELECT id, coalesce(ended_at, started_at), coalesce(output_bytes, 0) FROM run "
                            "WHERE task = ? AND state <> 'running' ORDER BY id");
    oldest.bind(task);
    while (oldest.row()) {
        if (!too_many() && !too_large() && oldest.number(1) >= oldest_end) break;
        beyond.last_id = oldest.number(0);
        --beyond.left.runs;
        if (beyond.left.bytes) *beyond.left.bytes -= oldest.number(2);
    }
    return beyond;
}

void run_store::forget(const std::string& task, std::int64_t last_id) {
    if (last_id == 0) return;
    const store::without_sync unsynced(db_);
    sqlite_statement statement(db_.handle(),
                               "DELETE FROM run WHERE task = ? AND state <> 'running' AND id <= ?");
    statement.bind(task).bind(last_id);
    db_.write(statement, "run");
}

int run_store::mark_running_lost(const std::set<std::string, std::less<>>& services,
                                 const std::set<std::int64_t>& runs) {
    std::vector<std::int64_t> lost;
    {
        sqlite_statement running(
            db_.handle(), "SELECT id, kind, task FROM run INDEXED BY run_running WHERE state = 'running'");
        while (running.row()) {
            const bool is_life = record_kind_named(running.text(1)) == record_kind::life;
            const bool goes_on =
                is_life ? services.contains(running.text(2)) : runs.contains(running.number(0));
            if (!goes_on) lost.push_back(running.number(0));
        }
    }
    if (lost.empty()) return 0;
    db_.transaction([&] {
        for (const std::int64_t id : lost) {
            sqlite_statement statement(db_.handle(), "UPDATE run SET state = 'lost' WHERE id = ?");
            statement.bind(id);
            db_.write(statement, "run");
        }
    });
    return static_cast<int>(lost.size());
}

void run_store::remove_unstarted_lives(const std::set<std::string, std::less<>>& services) {
    for (const std::string& name : services) {
        sqlite_statement statement(db_.handle(),
                                   "DELETE FROM run WHERE state = 'running' AND kind = ? AND task = ?");
        statement.bind(name_of(record_kind::life)).bind(name);
        db_.write(statement, "run");
    }
}

std::optional<run_record> run_store::find(std::int64_t id) { return find_run_in(db_.handle(), id); }

std::optional<run_record> run_store::last_of(const std::string& task) {
    return last_run_in(db_.handle(), task);
}

std::vector<run_record> run_store::list(const run_query& query) {
    return list_runs_in(db_.handle(), query, false);
}

bool run_store::was_forgotten(std::int64_t id) { return was_forgotten_in(db_.handle(), id); }

std::optional<schedule_record> run_store::schedule(const std::string& task) {
    return schedule_in(db_.handle(), task);
}

void run_store::set_schedule(const std::string& task, const schedule_record& record) {
    const store::without_sync unsynced(db_);
    sqlite_statement statement(db_.handle(), "INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?)");
    statement.bind(task).bind(record.rule).bind(ms_of(record.anchor)).bind(ms_of(record.last_slot));
    db_.write(statement, "schedule");
}

std::vector<run_record> read_runs(const std::string& database_path, const run_query& query,
                                  bool daemon_gone) {
    const auto db = open_reader(database_path);
    return db ? list_runs_in(db.get(), query, daemon_gone) : std::vector<run_record>();
}

std::optional<run_record> read_run(const std::string& database_path, std::int64_t id) {
    const auto db = open_reader(database_path);
    if (!db) return std::nullopt;
    return find_run_in(db.get(), id);
}

bool read_was_forgotten(const std::string& database_path, std::int64_t id) {
    const auto db = open_reader(database_path);
    return db && was_forgotten_in(db.get(), id);
}

std::optional<schedule_record> read_schedule(const std::string& database_path, const std::string& task) {
    const auto db = open_reader(database_path);
    return db ? schedule_in(db.get(), task) : std::nullopt;
}

}  // namespace hob::unit
