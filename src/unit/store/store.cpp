#include "unit/store/store.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <iterator>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "unit/store/schema.hpp"
#include "unit/store/sqlite_statement.hpp"
#include "util/log/log.hpp"
#include "util/nul_list.hpp"

namespace hob::unit {
namespace {

using util::field;
using util::level;
using util::log;

// Keeps an idle daemon small: no lookaside buffers, no preallocated pages.
void configure_sqlite() {
    static const bool once = [] {
        ::sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
        ::sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0);
        ::sqlite3_config(SQLITE_CONFIG_PAGECACHE, nullptr, 0, 0);
        ::sqlite3_initialize();
        return true;
    }();
    static_cast<void>(once);
}

std::string timestamp() {
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    char text[32];
    return std::string(text, std::strftime(text, sizeof text, "%Y%m%dT%H%M%SZ", &parts));
}

// Renames a database and its -wal and -shm. Returns the new name; empty, with errno, when it cannot be
// renamed.
std::string move_aside(const std::string& path) {
    const std::string base = path + ".corrupt-" + timestamp();
    std::string name = base;
    struct stat existing {};
    for (int n = 1; ::lstat(name.c_str(), &existing) == 0; ++n)
        name = fmt::format("{}.{}", base, n);
    if (::rename(path.c_str(), name.c_str()) != 0) return {};
    for (const char* suffix : {"-wal", "-shm"})
        ::rename((path + suffix).c_str(), (name + suffix).c_str());
    return name;
}

// Why `path` cannot be used, or empty. A fifo would block, and a symlink would lead elsewhere.
std::string path_problem(const std::string& path, bool& has_content, bool& exists) {
    struct stat found {};
    exists = ::lstat(path.c_str(), &found) == 0;
    has_content = exists && found.st_size > 0;
    if (!exists) return errno == ENOENT ? std::string() : errno_text(errno);
    if (!S_ISREG(found.st_mode)) return "it is not a regular file";
    if (found.st_uid != ::geteuid()) return "it belongs to another user";
    return {};
}

constexpr std::int64_t checked_whole = 16 << 20;  // bytes: a larger database would delay a start

// All but the history.
constexpr std::string_view small_tables[] = {"meta",     "process", "held",   "wanted",
                                             "schedule", "memory",  "consent"};

// Of the whole database; of all but the history where that is so long that a start would wait for it.
std::vector<std::string> consistency_checks(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || status.st_size <= checked_whole)
        return {"PRAGMA quick_check(1)"};
    std::vector<std::string> checks;
    for (const std::string_view table : small_tables)
        checks.push_back(fmt::format("PRAGMA quick_check({})", table));
    return checks;
}

kill_scope kill_named(const std::string& name) {
    for (const auto scope : {kill_scope::group, kill_scope::main, kill_scope::mixed}) {
        if (name == name_of(scope)) return scope;
    }
    return kill_scope::all;
}

}  // namespace

void refuse_newer_schema(const std::string& path, std::int64_t version) {
    if (version <= schema_version) return;
    throw failure(error_kind::version, cannot("use", path),
                  fmt::format("its schema {} is newer than {}, which this version of hob knows", version,
                              schema_version),
                  "use the hob that wrote it, or move the file away");
}

store::store(const std::string& path) : path_(path) {
    configure_sqlite();
    if (path.empty()) {
        use_memory();
        return;
    }
    attempt opened = open(path);
    if (opened.result == outcome::corrupt) {
        close();
        set_aside_ = move_aside(path);
        if (set_aside_.empty()) {
            opened = {outcome::unusable,
                      fmt::format("{}, and it cannot be moved: {}", opened.reason, errno_text(errno))};
        } else {
            log(level::warning, "store", "the database is corrupt and was set aside",
                {field("path", path), field("moved_to", set_aside_), field("reason", opened.reason)});
            opened = open(path);
        }
    }
    history_lost_ = history_lost_ || !set_aside_.empty();
    if (opened.result == outcome::open) return;
    close();
    degraded_ = fmt::format("cannot use '{}': {}", path, opened.reason);
    history_lost_ = true;
    log(level::error, "store", "the state of this daemon is kept in memory only",
        {field("reason", *degraded_)});
    use_memory();
}

store::~store() { close(); }

void store::close() { ::sqlite3_close_v2(std::exchange(db_, nullptr)); }

store::attempt store::classify(int code) const {
    const int primary = code & 0xff;
    const std::string reason = db_ ? ::sqlite3_errmsg(db_) : ::sqlite3_errstr(code);
    const bool corrupt = primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB;
    return {corrupt ? outcome::corrupt : outcome::unusable, reason};
}

store::attempt store::open(const std::string& path) {
    bool has_content = false, exists = false;
    if (const auto problem = path_problem(path, has_content, exists); !problem.empty())
        return {outcome::unusable, problem};
    const int code = ::sqlite3_open_v2(
        path.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOFOLLOW, nullptr);
    if (code != SQLITE_OK) return classify(code);
    if (exists && !has_content) history_lost_ = true;
    return prepare(path);
}

store::attempt store::prepare(const std::string& path) {
    ::sqlite3_busy_timeout(db_, static_cast<int>(limits::store_open_timeout.count()));
    if (::sqlite3_db_readonly(db_, "main") == 1) return {outcome::unusable, "it is read-only"};
    if (!execute("PRAGMA cache_size=-64; PRAGMA mmap_size=0; PRAGMA trusted_schema=OFF; PRAGMA "
                 "synchronous=FULL;")) {
        return classify(::sqlite3_extended_errcode(db_));
    }
    std::int64_t version = 0;
    {
        sqlite_statement query(db_, "PRAGMA user_version");
        if (!query.row()) return classify(query.code());
        version = query.number(0);
    }
    if (version > schema_version) {
        close();
        refuse_newer_schema(path, version);
    }
    if (!execute("PRAGMA journal_mode=WAL;")) return classify(::sqlite3_extended_errcode(db_));
    if (!migrate(static_cast<int>(version))) {
        const int code = ::sqlite3_errcode(db_);
        attempt failed = classify(::sqlite3_extended_errcode(db_));
        execute("ROLLBACK;");
        // SQLITE_ERROR: a table exists already, so the schema is half there and not one of ours.
        if (code == SQLITE_ERROR) failed.result = outcome::corrupt;
        return failed;
    }
    if (attempt checked = check_contents(); checked.result != outcome::open) return checked;
    ::sqlite3_busy_timeout(db_, static_cast<int>(limits::store_busy_timeout.count()));
    reserve_space();
    ::sqlite3_db_release_memory(db_);
    return {outcome::open, {}};
}

store::attempt store::check_contents() const {
    const auto checks = consistency_checks(path_);
    for (const auto& sql : checks) {
        sqlite_statement check(db_, sql.c_str());
        if (!check.row()) return classify(check.code());
        if (const auto result = check.text(0); result != "ok") return {outcome::corrupt, result};
    }
    // A table may be missing. One statement: each that is prepared costs more than the rows of these tables.
    sqlite_statement tables(
        db_,
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('meta', 'process', "
        "'held', 'wanted', 'run', 'schedule', 'memory', 'consent')");
    if (!tables.row()) return classify(tables.code());
    if (tables.number(0) != 8) return {outcome::corrupt, "a table is missing"};
    if (checks.size() == 1) return {outcome::open, {}};
    sqlite_statement newest(db_, "SELECT * FROM run LIMIT 1");
    return newest.done() ? attempt{outcome::open, {}} : classify(newest.code());
}

void store::use_memory() {
    const int code = ::sqlite3_open_v2(":memory:", &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
    if (code != SQLITE_OK || !migrate(0)) {
        throw failure(error_kind::internal, cannot("open", "a database in memory"), ::sqlite3_errstr(code));
    }
}

// All steps in one transaction: a new database is synced once.
bool store::migrate(int version) {
    const std::size_t added = version == 0 ? 0 : additions_made();
    if (version == schema_version && added >= additions.size()) return true;
    std::string sql = "BEGIN IMMEDIATE; ";
    for (auto step = static_cast<std::size_t>(version); step < migrations.size(); ++step)
        sql += migrations[step];
    for (auto step = added; step < additions.size(); ++step)
        sql += additions[step];
    if (added < additions.size())
        sql += fmt::format("INSERT OR REPLACE INTO meta VALUES ('additions', '{}');", additions.size());
    return execute(fmt::format("{} PRAGMA user_version = {}; COMMIT;", sql, schema_version).c_str());
}

// A later version may have made more.
std::size_t store::additions_made() const {
    sqlite_statement query(db_, "SELECT value FROM meta WHERE key = 'additions'");
    return query.row() ? static_cast<std::size_t>(std::max<std::int64_t>(query.number(0), 0)) : 0;
}

bool store::execute(const char* sql) {
    return ::sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

store::without_sync::without_sync(store& db) : db_(db) { db_.execute("PRAGMA synchronous=NORMAL;"); }

store::without_sync::~without_sync() { db_.execute("PRAGMA synchronous=FULL;"); }

std::string store::log_path() const { return path_.empty() || degraded_ ? std::string() : path_ + "-wal"; }

// Process records mean nothing after a crash of the machine, so they are not synced.
void store::put_process(const process_record& record) {
    const without_sync unsynced(*this);
    sqlite_statement statement(db_, "INSERT OR REPLACE INTO process VALUES (?, ?, ?, ?, ?, ?, ?)");
    statement.bind(record.unit).bind(std::int64_t{record.pid}).bind(std::int64_t{record.pgid});
    statement.bind(std::int64_t{record.session}).bind(static_cast<std::int64_t>(record.start_time));
    statement.bind(record.boot_id).bind(name_of(record.kill));
    write(statement, "process");
}

void store::forget_process(const std::string& unit, pid_t pid) {
    const without_sync unsynced(*this);
    sqlite_statement statement(db_, "DELETE FROM process WHERE unit = ? AND pid = ?");
    statement.bind(unit).bind(std::int64_t{pid});
    write(statement, "process");
}

std::vector<process_record> store::processes() { return processes_in(db_); }

std::vector<process_record> processes_in(sqlite3* db) {
    std::vector<process_record> found;
    sqlite_statement all(db, "SELECT unit, pid, pgid, session, start_time, boot_id, kill FROM process");
    while (all.row()) {
        process_record record;
        record.unit = all.text(0);
        record.pid = static_cast<pid_t>(all.number(1));
        record.pgid = static_cast<pid_t>(all.number(2));
        record.session = static_cast<pid_t>(all.number(3));
        record.start_time = static_cast<std::uint64_t>(all.number(4));
        record.boot_id = all.text(5);
        record.kill = kill_named(all.text(6));
        found.push_back(std::move(record));
    }
    return found;
}

bool store::stopped_by_user(const std::string& unit) {
    sqlite_statement query(db_, "SELECT 1 FROM held WHERE unit = ?");
    query.bind(unit);
    return query.row();
}

void store::set_stopped_by_user(const std::string& unit, bool on) {
    if (stopped_by_user(unit) == on) return;
    sqlite_statement statement(
        db_, on ? "INSERT OR IGNORE INTO held VALUES (?)" : "DELETE FROM held WHERE unit = ?");
    statement.bind(unit);
    write(statement, "held");
}

void store::set_desired_up(const std::string& unit,
                           const std::optional<std::vector<std::string>>& environment) {
    if (desired_up(unit) == desired_state_record{environment}) return;
    const std::string bytes = util::join_nul_list(environment.value_or(std::vector<std::string>()));
    sqlite_statement statement(db_, "INSERT OR REPLACE INTO wanted VALUES (?, ?)");
    statement.bind(unit);
    if (environment) {
        statement.bind(bytes);
    } else {
        statement.bind_null();
    }
    write(statement, "wanted");
}

void store::clear_desired_up(const std::string& unit) {
    if (!desired_up(unit)) return;
    sqlite_statement statement(db_, "DELETE FROM wanted WHERE unit = ?");
    statement.bind(unit);
    write(statement, "wanted");
}

void store::clear_all_desired_up() {
    sqlite_statement statement(db_, "DELETE FROM wanted");
    write(statement, "wanted");
}

std::optional<desired_state_record> store::desired_up(const std::string& unit) {
    sqlite_statement query(db_, "SELECT environment FROM wanted WHERE unit = ?");
    query.bind(unit);
    if (!query.row()) return std::nullopt;
    desired_state_record found;
    if (query.is_null(0)) return found;
    found.environment = util::split_nul_list(query.text(0));
    return found;
}

std::vector<memory_record> store::memory(const std::string& unit) {
    std::vector<memory_record> found;
    sqlite_statement all(db_, "SELECT key, value, bound_to FROM memory WHERE unit = ? ORDER BY key");
    all.bind(unit);
    while (all.row())
        found.push_back({all.text(0), all.text(1), all.text(2)});
    return found;
}

bool store::remember(const std::string& unit, const memory_record& what) {
    sqlite_statement statement(db_, "INSERT OR REPLACE INTO memory VALUES (?, ?, ?, ?)");
    statement.bind(unit).bind(what.key).bind(what.value).bind(what.bound_to);
    return write(statement, "memory");
}

bool store::forget(const std::string& unit, const std::string& key) {
    sqlite_statement statement(db_, "DELETE FROM memory WHERE unit = ? AND key = ?");
    statement.bind(unit).bind(key);
    return write(statement, "memory");
}

}  // namespace hob::unit
