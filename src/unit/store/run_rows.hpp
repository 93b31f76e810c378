#pragma once
// The rows of the table of runs, as unit/store/run_store.hpp and readers of the file read them.

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "unit/spec/run_record.hpp"
#include "unit/store/run_store.hpp"
#include "util/clock.hpp"

struct sqlite3;

namespace hob::unit {

using util::ms_of;
using util::time_of_ms;

// With its environment.
std::optional<run_record> find_run_in(sqlite3* db, std::int64_t id);
// `daemon_gone`: what runs is lost.
std::vector<run_record> list_runs_in(sqlite3* db, const run_query& query, bool daemon_gone);
std::optional<run_record> last_run_in(sqlite3* db, const std::string& task);
bool was_forgotten_in(sqlite3* db, std::int64_t id);

}  // namespace hob::unit
