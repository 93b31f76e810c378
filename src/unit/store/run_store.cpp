#include "unit/store/run_store.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <memory>

#include "error.hpp"
#include "limits.hpp"
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
    run.trigger = row.text(2);
    run.cause = row.text(3);
    run.state = row.text(4);
    run.started_at = from_ms(row.number(5));
    if (const auto ended = row.maybe(6)) run.ended_at = from_ms(*ended);
    run.exit = row.maybe(7);
    run.signal = row.maybe(8);
    run.cpu_ms = row.maybe(9);
    run.max_rss_kib = row.maybe(10);
    return run;
}

std::optional<run_record> find_in(sqlite3* db, std::int64_t id) {
    sqlite_statement ask(db, "SELECT " RUN_COLUMNS " FROM run WHERE id = ?");
    ask.bind(id);
    if (!ask.row()) return std::nullopt;
    return record_of(ask);
}

std::vector<run_record> list_in(sqlite3* db, const run_query& wanted) {
    const std::int64_t limit = wanted.limit == 0 ? -1 : static_cast<std::int64_t>(wanted.limit);
    sqlite_statement ask(db, wanted.task ? "SELECT " RUN_COLUMNS
                                           " FROM run WHERE task = ? ORDER BY id DESC LIMIT ?"
                                         : "SELECT " RUN_COLUMNS " FROM run ORDER BY id DESC LIMIT ?");
    if (wanted.task) ask.bind(*wanted.task);
    ask.bind(limit);
    std::vector<run_record> found;
    while (ask.row())
        found.push_back(record_of(ask));
    return found;
}

std::optional<schedule_record> schedule_in(sqlite3* db, const std::string& task) {
    sqlite_statement ask(db, "SELECT rule, anchor, last_slot FROM schedule WHERE task = ?");
    ask.bind(task);
    if (!ask.row()) return std::nullopt;
    return schedule_record{ask.text(0), from_ms(ask.number(1)), from_ms(ask.number(2))};
}

// A database opened for reading alone; nullptr: there is none, or it is older than runs are.
std::unique_ptr<sqlite3, int (*)(sqlite3*)> open_reader(const std::string& path) {
    std::unique_ptr<sqlite3, int (*)(sqlite3*)> none(nullptr, ::sqlite3_close_v2);
    if (::access(path.c_str(), F_OK) != 0) return none;
    sqlite3* opened = nullptr;
    const int code = ::sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    std::unique_ptr<sqlite3, int (*)(sqlite3*)> db(opened, ::sqlite3_close_v2);
    const auto refuse = [&](int why) {
        throw failure(error_kind::denied,
                      fmt::format("cannot read '{}': {}", path,
                                  opened ? ::sqlite3_errmsg(opened) : ::sqlite3_errstr(why)));
    };
    if (code != SQLITE_OK) refuse(code);
    ::sqlite3_busy_timeout(opened, static_cast<int>(limits::store_open_timeout.count()));
    sqlite_statement ask(opened, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'run'");
    if (ask.row()) return db;
    if (ask.code() != SQLITE_DONE) refuse(ask.code());
    return none;
}

}  // namespace

std::int64_t run_store::add(const run_record& run) {
    const store::without_sync later(db_);
    sqlite_statement put(
        db_.handle(),
        "INSERT INTO run (task, trigger, cause, state, started_at, ended_at) VALUES (?, ?, ?, ?, ?, ?)");
    const auto ended = to_ms(run.ended_at);
    put.bind(run.task)
        .bind(run.trigger)
        .bind(run.cause)
        .bind(run.state)
        .bind(to_ms(run.started_at))
        .bind(ended);
    if (db_.write(put, "run")) return ::sqlite3_last_insert_rowid(db_.handle());
    throw failure(error_kind::unit_failed, fmt::format("cannot run '{}': its record cannot be written: {}",
                                                       run.task, ::sqlite3_errmsg(db_.handle())));
}

void run_store::finish(const run_record& run) {
    const store::without_sync later(db_);
    sqlite_statement put(
        db_.handle(),
        "UPDATE run SET state = ?, cause = ?, ended_at = ?, exit = ?, signal = ?, cpu_ms = ?, "
        "max_rss_kib = ? WHERE id = ?");
    const auto ended = to_ms(run.ended_at);
    put.bind(run.state).bind(run.cause).bind(ended).bind(run.exit).bind(run.signal).bind(run.cpu_ms);
    put.bind(run.max_rss_kib).bind(run.id);
    db_.write(put, "run");
}

void run_store::prune(const std::string& task, int keep) {
    const store::without_sync later(db_);
    sqlite_statement drop(
        db_.handle(),
        "DELETE FROM run WHERE task = ?1 AND state <> 'running' AND id <= (SELECT id FROM run "
        "WHERE task = ?1 AND state <> 'running' ORDER BY id DESC LIMIT 1 OFFSET ?2)");
    drop.bind(task).bind(std::int64_t{keep});
    db_.write(drop, "run");
}

int run_store::lose_running() {
    sqlite_statement put(db_.handle(), "UPDATE run SET state = 'lost' WHERE state = 'running'");
    db_.write(put, "run");
    return ::sqlite3_changes(db_.handle());
}

std::optional<run_record> run_store::find(std::int64_t id) { return find_in(db_.handle(), id); }

std::optional<run_record> run_store::last_of(const std::string& task) {
    sqlite_statement ask(db_.handle(),
                         "SELECT " RUN_COLUMNS
                         " FROM run WHERE task = ? AND state <> 'skipped' ORDER BY id DESC LIMIT 1");
    ask.bind(task);
    if (!ask.row()) return std::nullopt;
    return record_of(ask);
}

std::vector<run_record> run_store::list(const run_query& wanted) { return list_in(db_.handle(), wanted); }

std::optional<schedule_record> run_store::schedule(const std::string& task) {
    return schedule_in(db_.handle(), task);
}

void run_store::set_schedule(const std::string& task, const schedule_record& record) {
    const store::without_sync later(db_);
    sqlite_statement put(db_.handle(), "INSERT OR REPLACE INTO schedule VALUES (?, ?, ?, ?)");
    put.bind(task).bind(record.rule).bind(to_ms(record.anchor)).bind(to_ms(record.last_slot));
    db_.write(put, "schedule");
}

std::vector<run_record> read_runs(const std::string& database_path, const run_query& wanted,
                                  bool daemon_gone) {
    const auto db = open_reader(database_path);
    if (!db) return {};
    auto found = list_in(db.get(), wanted);
    for (auto& run : found) {
        if (daemon_gone && run.state == name_of(run_state::running)) run.state = name_of(run_state::lost);
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

std::vector<std::string> read_desired_up(const std::string& database_path) {
    const auto db = open_reader(database_path);
    std::vector<std::string> units;
    if (!db) return units;
    sqlite_statement query(db.get(), "SELECT unit FROM wanted ORDER BY unit");
    while (query.row())
        units.push_back(query.text(0));
    return units;
}

}  // namespace hob::unit
