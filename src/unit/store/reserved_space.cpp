// Room for the store on a disk that fills up, and writes that make do with it.

#include <fcntl.h>
#include <sqlite3.h>

#include <utility>

#include "limits.hpp"
#include "unit/store/sqlite_statement.hpp"
#include "unit/store/store.hpp"
#include "util/fd.hpp"
#include "util/log.hpp"

namespace hob::unit {
namespace {

using util::field;
using util::level;
using util::log;

constexpr int page_size = 4096;
constexpr int margin = static_cast<int>(limits::store_database_room) / 4;  // free, at least

bool lacks_room(int code) { return (code & 0xff) == SQLITE_FULL; }

}  // namespace

// Blocks behind the end of the log, which SQLite and other readers of it do not see. The file is opened by
// its name: nobody locks a write-ahead log (the locks are on the database and its -shm), so none is lost with
// this descriptor. SQLite makes the log when a database is first read, removes it at an orderly end, and
// never shortens it in between.
void store::keep_log_room() {
    const util::unique_fd log = util::open_file(log_path(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
    if (log) ::fallocate(log.get(), FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(limits::store_log_room));
}

// The database's locks go with any descriptor of it, and each checkpoint cuts it to what it has, blocks
// behind its end included. So it is SQLite that lets it grow, in chunks, and cuts it to whole chunks. It
// reads how much of them is in use in the first page.
//
// The file is always as long as its pages need, those in the log included: then a checkpoint needs no room.
void store::keep_database_room() {
    sqlite_statement ask(db_, "PRAGMA page_count");
    if (!ask.row()) return;
    std::int64_t wanted = ask.number(0) * page_size + margin;
    ::sqlite3_file_control(db_, "main", SQLITE_FCNTL_SIZE_HINT, &wanted);
}

// What cannot be had is no failure: the disk may be full, the file system may not know how.
void store::keep_room() {
    int chunk = static_cast<int>(limits::store_database_room);
    ::sqlite3_file_control(db_, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
    keep_log_room();
    keep_database_room();
    ::sqlite3_wal_hook(db_, &store::after_commit, this);
}

// In place of SQLite's own hook, which does the first part. Between two looks the database grows by no more
// pages than the log does by frames.
int store::after_commit(void* self, sqlite3* db, const char* name, int frames) {
    auto& me = *static_cast<store*>(self);
    const bool full = frames >= limits::store_log_frames;
    if (full) ::sqlite3_wal_checkpoint_v2(db, name, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
    if (frames < me.frames_looked_at_) me.frames_looked_at_ = 0;  // it has started over
    if (full || frames - me.frames_looked_at_ >= margin / page_size) {
        me.frames_looked_at_ = frames;
        me.keep_database_room();
    }
    return SQLITE_OK;
}

// Waits for nobody: a reader that is in the way lets this write fail.
bool store::start_log_over() {
    return ::sqlite3_wal_checkpoint_v2(db_, "main", SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr) == SQLITE_OK;
}

bool store::write(sqlite_statement& put, std::string_view what) {
    bool done = put.done();
    if (!done && lacks_room(put.code())) {
        out_of_room_ = true;
        if (may_repeat_) return false;
        // In a transaction the log cannot start over.
        if (::sqlite3_get_autocommit(db_) != 0 && start_log_over()) done = put.done_again();
    }
    return written(done, what);
}

bool store::written(bool done, std::string_view what) {
    if (done) {
        if (std::exchange(write_failing_, false)) {
            log(level::info, "store", "the database can be written again");
            if (!log_path().empty()) keep_room();
        }
    } else if (!std::exchange(write_failing_, true)) {
        log(level::error, "store", "the database cannot be written",
            {field("what", what), field("reason", ::sqlite3_errmsg(db_))});
    }
    ::sqlite3_db_release_memory(db_);
    return done;
}

bool store::transact(const std::function<void()>& writes, bool may_repeat) {
    out_of_room_ = false;
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
    const bool done = execute(may_repeat && out_of_room_ ? "ROLLBACK;" : "COMMIT;");
    if (!done) out_of_room_ = out_of_room_ || lacks_room(::sqlite3_errcode(db_));
    return done && !out_of_room_;
}

void store::transaction(const std::function<void()>& writes) {
    bool done = transact(writes, true);
    if (!done && out_of_room_ && start_log_over()) done = transact(writes, false);
    written(done, "batch");
}

}  // namespace hob::unit
