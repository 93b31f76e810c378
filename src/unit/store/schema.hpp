#pragma once
// The tables of the database, as SQL.

#include <array>
#include <cstdint>
#include <string>

namespace hob::unit {

// Step N brings a database from version N to N + 1. A released step is never changed.
inline constexpr std::array migrations{
    R"(
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE process (unit TEXT NOT NULL, pid INTEGER NOT NULL, pgid INTEGER NOT NULL, session INTEGER NOT NULL,
    start_time INTEGER NOT NULL, boot_id TEXT NOT NULL, kill TEXT NOT NULL, PRIMARY KEY (unit, pid)) WITHOUT ROWID;
CREATE TABLE held (unit TEXT PRIMARY KEY) WITHOUT ROWID;
)",
    R"(
CREATE TABLE wanted (unit TEXT PRIMARY KEY, environment BLOB) WITHOUT ROWID;
)",
    // Runs, and what a schedule has to remember. Times are milliseconds since the epoch.
    R"(
CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, trigger TEXT NOT NULL, cause TEXT NOT NULL,
    state TEXT NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER, exit INTEGER, signal INTEGER, cpu_ms INTEGER,
    max_rss_kib INTEGER);
CREATE INDEX run_of_task ON run (task, id);
CREATE TABLE schedule (task TEXT PRIMARY KEY, rule TEXT NOT NULL, anchor INTEGER NOT NULL,
    last_slot INTEGER NOT NULL) WITHOUT ROWID;
)",
    // What workers remember.
    R"(
CREATE TABLE memory (unit TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, bound_to TEXT NOT NULL,
    PRIMARY KEY (unit, key)) WITHOUT ROWID;
)",
    // The definitions that the user has named.
    R"(
CREATE TABLE consent (unit TEXT NOT NULL, digest TEXT NOT NULL, PRIMARY KEY (unit, digest)) WITHOUT ROWID;
)",
};
inline constexpr int schema_version = static_cast<int>(migrations.size());

// Steps that only add what an earlier version need not know, columns with defaults and indices: they leave
// user_version alone, so that a version without them can open the database. Their number is in `meta`. A
// released step is never changed.
inline constexpr std::array additions{
    // Lives of services, and what is needed to show and forget runs.
    R"(
ALTER TABLE run ADD COLUMN kind TEXT NOT NULL DEFAULT 'run';
ALTER TABLE run ADD COLUMN ready_at INTEGER;
ALTER TABLE run ADD COLUMN restarts INTEGER;
ALTER TABLE run ADD COLUMN output_bytes INTEGER;
ALTER TABLE run ADD COLUMN environment BLOB;
CREATE INDEX run_started ON run (started_at);
CREATE INDEX run_failed ON run (id) WHERE state IN ('failed', 'timeout', 'lost');
CREATE INDEX run_running ON run (id) WHERE state = 'running';
)",
};

// Throws failure(version) where `version`, the user_version of the database, is higher than schema_version.
void refuse_newer_schema(const std::string& path, std::int64_t version);

}  // namespace hob::unit
