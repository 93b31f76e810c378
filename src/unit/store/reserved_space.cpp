// Disk space that the store reserves in advance, and writes that use it once the disk is full.

#include <fcntl.h>
#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "limits.hpp"
#include "unit/store/sqlite_statement.hpp"
#include "unit/store/store.hpp"
#include "util/fd.hpp"
#include "util/log/log.hpp"

namespace hob::unit {
namespace {

using util::field;
using util::level;
using util::log;

constexpr int page_size = 4096;
constexpr int free_min = static_cast<int>(limits::store_database_reserve) / 4;  // bytes

// Also where a file size limit ends a write: SQLite reports that as an error of the disk.
bool is_disk_full(sqlite3* db, int code) {
    const int primary = code & 0xff;
    return primary == SQLITE_FULL || (primary == SQLITE_IOERR && ::sqlite3_system_errno(db) == EFBIG);
}

}  // namespace

// Allocates blocks behind the end of the log, which SQLite and other readers do not see. Opening the file by
// name loses no lock: SQLite locks the database and its -shm, not the write-ahead log. SQLite creates the log
// when a database is first read, removes it at an orderly end, and never shortens it in between.
void store::reserve_log_space() {
    const util::unique_fd log = util::open_file(log_path(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    if (log) ::fallocate(log.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(limits::store_log_reserve));
}

// The database file cannot be extended as the log is: closing any descriptor of it drops SQLite's locks, and
// each checkpoint truncates the file to its pages. So SQLite itself grows it, in chunks, and truncates it to
// whole chunks; the first page says how many pages are in use.
//
// The file is always long enough for all pages, those in the log included, so that a checkpoint needs no
// further space.
void store::reserve_database_space() {
    sqlite_statement query(db_, "PRAGMA page_count");
    if (!query.row()) return;
    std::int64_t size = query.number(0) * page_size + free_min;
    ::sqlite3_file_control(db_, "main", SQLITE_FCNTL_SIZE_HINT, &size);
}

// Failing to reserve is no error: the disk may be full, or the file system may not support it.
void store::reserve_space() {
    int chunk = static_cast<int>(limits::store_database_reserve);
    ::sqlite3_file_control(db_, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
    reserve_log_space();
    reserve_database_space();
    ::sqlite3_wal_hook(db_, &store::after_commit, this);
}

// Replaces SQLite's own hook, which does the checkpoint. The database never grows by more pages than the log
// grows by frames, so the frames tell when to reserve again.
int store::after_commit(void* self, sqlite3* db, const char* name, int frames) {
    auto& owner = *static_cast<store*>(self);
    const bool full = frames >= limits::store_log_frames;
    if (full) ::sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (frames < owner.frames_at_last_reserve_) owner.frames_at_last_reserve_ = 0;  // the log was restarted
    if (full || frames - owner.frames_at_last_reserve_ >= free_min / page_size) {
        owner.frames_at_last_reserve_ = frames;
        owner.reserve_database_space();
    }
    return SQLITE_OK;
}

// Does not wait for readers: with one in the way, this write fails.
bool store::checkpoint_log() {
    return ::sqlite3_wal_checkpoint_v2(db_, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) == SQLITE_OK;
}

bool store::write(sqlite_statement& statement, std::string_view what) {
    bool done = statement.done();
    if (!done && is_disk_full(db_, statement.code())) {
        disk_full_ = true;
        if (may_repeat_) return false;
        // A checkpoint is impossible inside a transaction.
        if (::sqlite3_get_autocommit(db_) != 0 && checkpoint_log()) done = statement.done_again();
    }
    return note_result(done, what);
}

bool store::note_result(bool done, std::string_view what) {
    if (done) {
        if (std::exchange(write_failing_, false)) {
            log(level::info, "store", "the database can be written again");
            if (!log_path().empty()) reserve_space();
        }
    } else if (!std::exchange(write_failing_, true)) {
        log(level::error, "store", "the database cannot be written",
            {field("what", what), field("reason", ::sqlite3_errmsg(db_))});
    }
    ::sqlite3_db_release_memory(db_);
    return done;
}

bool store::transact(const std::function<void()>& writes, bool may_repeat) {
    disk_full_ = false;
    may_repeat_ = may_repeat;
    execute("BEGIN IMMEDIATE;");
    try {
        writes();
    } catch (...) {
        may_repeat_ = false;
        execute("ROLLBACK;");
        throw;
    }
    may_repeat_ = false;
    const bool done = execute(may_repeat && disk_full_ ? "ROLLBACK;" : "COMMIT;");
    if (!done) disk_full_ = disk_full_ || is_disk_full(db_, ::sqlite3_errcode(db_));
    return done && !disk_full_;
}

void store::transaction(const std::function<void()>& writes) {
    bool done = transact(writes, true);
    if (!done && disk_full_ && checkpoint_log()) done = transact(writes, false);
    note_result(done, "batch");
}

}  // namespace hob::unit
