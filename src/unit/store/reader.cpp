#include "unit/store/reader.hpp"

#include <sqlite3.h>
#include <unistd.h>

#include "error.hpp"
#include "limits.hpp"
#include "unit/store/schema.hpp"
#include "unit/store/sqlite_statement.hpp"

namespace hob::unit {

database_reader open_reader(const std::string& path) {
    database_reader none(nullptr, ::sqlite3_close_v2);
    if (::access(path.c_str(), F_OK) != 0) return none;
    sqlite3* opened = nullptr;
    const int code = ::sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READONLY, nullptr);
    database_reader db(opened, ::sqlite3_close_v2);
    const auto fail = [&](int error) {
        throw failure(error_kind::denied, cannot("read", path),
                      opened ? ::sqlite3_errmsg(opened) : ::sqlite3_errstr(error));
    };
    if (code != SQLITE_OK) fail(code);
    ::sqlite3_busy_timeout(opened, static_cast<int>(limits::store_open_timeout.count()));
    sqlite_statement select(opened, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'run'");
    if (select.row()) return db;
    if (select.code() != SQLITE_DONE) fail(select.code());
    return none;
}

void check_schema(const std::string& database_path) {
    const auto db = open_reader(database_path);
    if (!db) return;
    sqlite_statement query(db.get(), "PRAGMA user_version");
    if (query.row()) refuse_newer_schema(database_path, query.number(0));
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

std::vector<std::pair<std::string, std::string>> read_consents(const std::string& database_path) {
    const auto db = open_reader(database_path);
    std::vector<std::pair<std::string, std::string>> found;
    if (!db) return found;
    sqlite_statement query(db.get(), "SELECT unit, digest FROM consent");
    while (query.row())
        found.emplace_back(query.text(0), query.text(1));
    return found;
}

std::vector<process_record> read_processes(const std::string& database_path) {
    const auto db = open_reader(database_path);
    return db ? processes_in(db.get()) : std::vector<process_record>();
}

}  // namespace hob::unit
