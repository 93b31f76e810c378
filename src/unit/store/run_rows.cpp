#include "unit/store/run_rows.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "unit/store/sqlite_statement.hpp"
#include "util/nul_list.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr std::string_view old_columns =
    "id, task, trigger, cause, state, started_at, ended_at, exit, signal, cpu_ms, max_rss_kib";
constexpr std::string_view new_columns = ", kind, ready_at, restarts, output_bytes";
constexpr int environment_column = 15;

// A database that no daemon of this version has opened yet lacks columns and indices.
bool is_current(sqlite3* db) {
    sqlite_statement column(db, "SELECT 1 FROM pragma_table_info('run') WHERE name = 'environment'");
    return column.row();
}

std::string select_from_run(bool current, std::string_view more = {}) {
    std::string sql("SELECT ");
    sql.append(old_columns);
    if (current) sql.append(new_columns).append(more);
    return sql += " FROM run";
}

run_record record_of(const sqlite_statement& row, bool current) {
    run_record run;
    run.id = row.number(0);
    run.task = row.text(1);
    run.trigger = run_trigger_named(row.text(2)).value_or(run_trigger::manual);
    run.cause = row.text(3);
    run.state = ipc::run_state_named(row.text(4)).value_or(run_state::lost);
    run.started_at = time_of_ms(row.number(5));
    if (const auto ended = row.optional_number(6)) run.ended_at = time_of_ms(*ended);
    run.exit = row.optional_number(7);
    run.signal = row.optional_number(8);
    run.cpu_ms = row.optional_number(9);
    run.max_rss_kib = row.optional_number(10);
    if (!current) return run;
    run.kind = record_kind_named(row.text(11)).value_or(record_kind::run);
    if (const auto ready = row.optional_number(12)) run.ready_at = time_of_ms(*ready);
    run.restarts = row.optional_number(13);
    run.output_bytes = row.optional_number(14);
    return run;
}

// The states of is_failure(), as the index run_failed has them.
constexpr std::string_view failed_condition = "state IN ('failed', 'timeout', 'lost')";

// `running`: those that run instead of those that the query says have failed.
std::string list_sql(const run_query& query, bool current, bool running) {
    const bool by_time = (query.since || query.until) && !query.task && !query.failed;
    std::string sql = select_from_run(current);
    if (current && running) {
        sql += " INDEXED BY run_running";
    } else if (current && query.failed) {
        sql += " INDEXED BY run_failed";
    } else if (current && by_time) {
        sql += " INDEXED BY run_started";
    }
    std::string_view link = " WHERE ";
    const auto require = [&](std::string_view condition) {
        sql.append(link).append(condition);
        link = " AND ";
    };
    if (running) {
        require("state = 'running'");
    } else if (query.failed) {
        require(failed_condition);
    }
    if (query.task) require("task = ?");
    if (query.since) require("started_at >= ?");
    if (query.until) require("started_at < ?");
    return sql + (by_time ? " ORDER BY started_at DESC, id DESC" : " ORDER BY id DESC") + " LIMIT ?";
}

std::vector<run_record> rows_of(sqlite3* db, const run_query& query, bool current, bool running) {
    sqlite_statement select(db, list_sql(query, current, running).c_str());
    if (query.task) select.bind(*query.task);
    if (query.since) select.bind(ms_of(*query.since));
    if (query.until) select.bind(ms_of(*query.until));
    select.bind(query.limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(query.limit));
    std::vector<run_record> found;
    while (select.row())
        found.push_back(record_of(select, current));
    return found;
}

}  // namespace

bool run_query::matches(const run_record& run) const {
    return (!task || run.task == *task) && (!failed || is_failure(run.state)) &&
           (!since || run.started_at >= *since) && (!until || run.started_at < *until);
}

std::optional<run_record> find_run_in(sqlite3* db, std::int64_t id) {
    const bool current = is_current(db);
    sqlite_statement select(db, (select_from_run(current, ", environment") + " WHERE id = ?").c_str());
    select.bind(id);
    if (!select.row()) return std::nullopt;
    run_record run = record_of(select, current);
    if (current) run.environment = util::split_nul_list(select.text(environment_column));
    return run;
}

std::vector<run_record> list_runs_in(sqlite3* db, const run_query& query, bool daemon_gone) {
    const bool current = is_current(db);
    auto found = rows_of(db, query, current, false);
    if (!daemon_gone) return found;
    if (query.failed) {
        const auto lost = rows_of(db, query, current, true);
        found.insert(found.end(), lost.begin(), lost.end());
        std::sort(found.begin(), found.end(),
                  [](const run_record& one, const run_record& other) { return one.id > other.id; });
        if (query.limit != 0 && found.size() > query.limit)
            found.erase(found.begin() + static_cast<std::ptrdiff_t>(query.limit), found.end());
    }
    for (auto& run : found) {
        if (run.state == run_state::running) run.state = run_state::lost;
    }
    return found;
}

std::optional<run_record> last_run_in(sqlite3* db, const std::string& task) {
    const bool current = is_current(db);
    const std::string sql =
        select_from_run(current) + " WHERE task = ? AND state <> 'skipped' ORDER BY id DESC LIMIT 1";
    sqlite_statement select(db, sql.c_str());
    select.bind(task);
    if (!select.row()) return std::nullopt;
    return record_of(select, current);
}

bool was_forgotten_in(sqlite3* db, std::int64_t id) {
    sqlite_statement last(db, "SELECT seq FROM sqlite_sequence WHERE name = 'run'");
    if (!last.row() || id < 1 || id > last.number(0)) return false;
    sqlite_statement select(db, "SELECT 1 FROM run WHERE id = ?");
    select.bind(id);
    return !select.row();
}

}  // namespace hob::unit
