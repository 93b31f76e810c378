#include "unit/store/run_store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <memory>

#include "error.hpp"
#include "limits.hpp"
#include "unit/store/reader.hpp"
#include "unit/store/sqlite_statement.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

#define RUN_COLUMNS "id, task, trigger, cause, state, started_at, ended_at, exit, signal, cpu_ms, max_rss_kib"

std::int64_t to_ms(system_clock::time_point time) {
    return std::chrono::floor<milliseconds>(time.time_since_epoch()).count();
}

system_clock::time_point from_ms(std::int64_t ms) { return system_clock::time_point(milliseconds(ms)); }

std::optional<std::int64_t> to_ms(const std::optional<system_clock::time_point>& time) {
    if (!time) return std::nullopt;
    return to_ms(*time);
}

run_record record_of(const sqlite_statement& row) {
    run_record run;
    run.id = row.number(0);
    run.task = row.text(1);
    run.trigger = run_trigger_named(row.text(2)).value_or(run_trigger::manual);
    run.cause = row.text(3);
    run.state = ipc::run_state_named(row.text(4)).value_or(run_state::lost);
    run.started_at = from_ms(row.number(5));
    if (const auto ended = row.optional_number(6)) run.ended_at = from_ms(*ended);
    run.exit = row.optional_number(7);
    run.signal = row.optional_number(8);
    run.cpu_ms = row.optional_number(9);
    run.max_rss_kib = row.optional_number(10);
    return run;
}

std::optional<run_record> find_in(sqlite3* db, std::int64_t id) {
    sqlite_statement select(db, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?");
    select.bind(id);
    if (!select.row()) return std::nullopt;
    return record_of(select);
}

std::vector<run_record> list_in(sqlite3* db, const run_query& query) {
    const std::int64_t limit = query.limit == 0 ? -1 : static_cast<std::int64_t>(query.limit);
    sqlite_statement select(db, query.task ? "SELECT " RUN_COLUMNS
                                             " FROM run WHERE task = ? ORDER BY id DESC LIMIT ?"
                                           : "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT ?");
    if (query.task) select.bind(*query.task);
    select.bind(limit);
    std::vector<run_record> found;
    while (select.row())
        found.push_back(record_of(select));
    return found;
}

std::optional<schedule_record> schedule_in(sqlite3* db, const std::string& task) {
    sqlite_statement select(db, "SELECT rule, anchor, last_slot FROM schedule WHERE task = ?");
    select.bind(task);
    if (!select.row()) return std::nullopt;
    return schedule_record{select.text(0), from_ms(select.number(1)), from_ms(select.number(2))};
}

}  // namespace

std::int64_t run_store::add(const run_record& run) {
    const store::without_sync unsynced(db_);
    sqlite_statement statement(
        db_.handle(),
        "INSERT INTO run (task, trigger, cause, state, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?)");
    const auto ended = to_ms(run.ended_at);
    statement.bind(run.task)
        .bind(name_of(run.trigger))
        .bind(run.cause)
        .bind(name_of(run.state))
        .bind(to_ms(run.started_at))
        .bind(ended);
    if (db_.write(statement, "run")) return ::sqlite3_last_insert_rowid(db_.handle());
    throw failure(error_kind::unit_failed, cannot("run", run.task),
                  fmt::format("its record cannot be written: {}", ::sqlite3_errmsg(db_.handle())));
}

void run_store::finish(const run_record& run) {
    const store::without_sync unsynced(db_);
    sqlite_statement statement(
        db_.handle(),
        "UPDATE run SET state = ?, cause = ?, ended_at = ?, exit = ?, signal = ?, cpu_ms = ?, "
        "max_rss_kib = ? WHERE id = ?");
    const auto ended = to_ms(run.ended_at);
    statement.bind(name_of(run.state))
        .bind(run.cause)
        .bind(ended)
        .bind(run.exit)
        .bind(run.signal)
        .bind(run.cpu_ms);
    statement.bind(run.max_rss_kib).bind(run.id);
    db_.write(statement, "run");
}

void run_store::prune(const std::string& task, int keep) {
    const store::without_sync unsynced(db_);
    sqlite_statement statement(
        db_.handle(),
        "DELETE FROM run WHERE task = ?1 AND state <> 'running' AND id <= (SELECT id FROM run "
        "WHERE task = ?1 AND state <> 'running' ORDER BY id DESC LIMIT 1 OFFSET ?2)");
    statement.bind(task).bind(std::int64_t{keep});
    db_.write(statement, "run");
}

int run_store::mark_running_lost() {
    sqlite_statement statement(db_.handle(), "UPDATE run SET state = 'lost' WHERE state = 'running'");
    db_.write(statement, "run");
    return ::sqlite3_changes(db_.handle());
}

std::optional<run_record> run_store::find(std::int64_t id) { return find_in(db_.handle(), id); }

std::optional<run_record> run_store::last_of(const std::string& task) {
    sqlite_statement select(db_.handle(),
                            "SELECT " RUN_COLUMNS
                            " FROM run WHERE task = ? AND state <> 'skipped' ORDER BY id DESC LIMIT 1");
    select.bind(task);
    if (!select.row()) return std::nullopt;
    return record_of(select);
}

std::vector<run_record> run_store::list(const run_query& query) { return list_in(db_.handle(), query); }

std::optional<schedule_record> run_store::schedule(const std::string& task) {
    return schedule_in(db_.handle(), task);
}

void run_store::set_schedule(const std::string& task, const schedule_record& record) {
    const store::without_sync unsynced(db_);
    sqlite_statement statement(db_.handle(), "INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?)");
    statement.bind(task).bind(record.rule).bind(to_ms(record.anchor)).bind(to_ms(record.last_slot));
    db_.write(statement, "schedule");
}

std::vector<run_record> read_runs(const std::string& database_path, const run_query& query,
                                  bool daemon_gone) {
    const auto db = open_reader(database_path);
    if (!db) return {};
    auto found = list_in(db.get(), query);
    for (auto& run : found) {
        if (daemon_gone && run.state == run_state::running) run.state = run_state::lost;
    }
    return found;
}

std::optional<run_record> read_run(const std::string& database_path, std::int64_t id) {
    const auto db = open_reader(database_path);
    if (!db) return std::nullopt;
    return find_in(db.get(), id);
}

std::optional<schedule_record> read_schedule(const std::string& database_path, const std::string& task) {
    const auto db = open_reader(database_path);
    return db ? schedule_in(db.get(), task) : std::nullopt;
}

}  // namespace hob::unit
