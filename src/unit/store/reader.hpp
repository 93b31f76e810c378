#pragma once
// The database of an instance as others than its daemon read it, with or without a running daemon.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "unit/store/store.hpp"

struct sqlite3;

namespace hob::unit {

using database_reader = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;

// Opens it read-only. nullptr: there is none, or its schema has no runs yet. Throws failure(denied) when it
// cannot be read, as do the functions below, which are empty without a database.
database_reader open_reader(const std::string& path);

// Throws failure(version) if this version cannot use the database.
void check_schema(const std::string& database_path);

// The services that should be up.
std::vector<std::string> read_desired_up(const std::string& database_path);
// Units with the digests of their definitions that the user has named.
std::vector<std::pair<std::string, std::string>> read_consents(const std::string& database_path);
// What a daemon has started and not seen the end of, and what it could not end.
std::vector<process_record> read_processes(const std::string& database_path);

}  // namespace hob::unit
