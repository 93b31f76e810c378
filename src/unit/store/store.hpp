#pragma once
// The daemon's durable state: <state>/<key>/hob.db. SQLite in WAL mode with synchronous=FULL: what a call has
// written when it returns survives a crash of the machine.
//
// Opening: a corrupt file (SQLITE_CORRUPT, SQLITE_NOTADB) is set aside with its -wal and -shm as
// hob.db.corrupt-<time> and a new one is created; a schema newer than ours is failure(version); any other
// obstacle (locked, full, read-only, unreadable) leaves the file alone: the daemon then uses a store in
// memory, logs that, and degraded() reports it. A broken state file never prevents a start. Only one process
// uses a store at a time (the caller holds the state directory's lock). One thread.
//
// A full disk: space for the log and the database is reserved when the store is opened
// (limits::store_log_reserve, limits::store_database_reserve) and ahead of further writes. A write that fails
// for lack of space checkpoints the log, which then restarts in its reserved space, and is retried once.
// Where nothing could be reserved (a full disk, or a file system without fallocate), writes fail as anywhere.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/spec/spec.hpp"

struct sqlite3;

namespace hob::unit {

class sqlite_statement;

// A process group that this daemon started, or a process that it could not end (pgid and session are 0). The
// next daemon finds its leftovers by it.
struct process_record {
    std::string unit;
    pid_t pid = 0;
    pid_t pgid = 0;
    pid_t session = 0;
    std::uint64_t start_time = 0;  // clock ticks since boot, of pid
    std::string boot_id;
    kill_scope kill = kill_scope::all;
};

// A service that should be up.
struct desired_state_record {
    std::optional<std::vector<std::string>> environment;  // K=V, of the caller; nullopt: the daemon's base
    bool operator==(const desired_state_record&) const = default;
};

// State that a worker is given again after a restart, see unit/worker/worker_memory.hpp.
struct memory_record {
    std::string key;
    std::string value;
    std::string bound_to;  // what it is valid for
};

class store {
public:
    // `path`: hob.db. Empty: in memory, for tests. Throws failure(version) for a newer
    // schema.
    explicit store(const std::string& path);
    ~store();
    store(const store&) = delete;
    store& operator=(const store&) = delete;

    // Why the state is not durable; nullopt when it is.
    const std::optional<std::string>& degraded() const { return degraded_; }
    // Where this opening moved a corrupt database to; empty: it was not corrupt.
    const std::string& set_aside() const { return set_aside_; }
    // Records of an earlier daemon may be missing: degraded, set aside, or the file was empty.
    bool history_lost() const { return history_lost_; }

    // A process record is written before the child counts as started, and removed once nothing of it is left.
    // A failed write is logged, once until one succeeds; the marks in the environment still identify the
    // process.
    void put_process(const process_record& record);
    void forget_process(const std::string& unit, pid_t pid);
    std::vector<process_record> processes();

    // What should be up, across crashes and restarts, until it is stopped. Durable on return.
    void set_desired_up(const std::string& unit, const std::optional<std::vector<std::string>>& environment);
    void clear_desired_up(const std::string& unit);
    void clear_all_desired_up();
    std::optional<desired_state_record> desired_up(const std::string& unit);

    // Commits everything that `writes` writes in one transaction. `writes` may be called twice: the first
    // call is then rolled back.
    void transaction(const std::function<void()>& writes);

    // `hob stop` keeps a unit stopped until `hob start`.
    bool stopped_by_user(const std::string& unit);
    void set_stopped_by_user(const std::string& unit, bool on);

    // What is remembered for a worker, ordered by key.
    std::vector<memory_record> memory(const std::string& unit);
    // True: durable. False: not written.
    bool remember(const std::string& unit, const memory_record& what);
    bool forget(const std::string& unit, const std::string& key);

    // For classes with tables of their own in the same file (unit/store/run_store.hpp). write() executes a
    // statement; a failure is logged, once until a write succeeds, and sqlite3_errmsg has its reason.
    sqlite3* handle() const { return db_; }
    bool write(sqlite_statement& statement, std::string_view what);

    // Writes during its lifetime survive a crash of this process. They survive a crash of the machine once
    // the file log_path() has been synced (util/disk_sync.hpp).
    class without_sync {
    public:
        explicit without_sync(store& db);
        ~without_sync();
        without_sync(const without_sync&) = delete;
        without_sync& operator=(const without_sync&) = delete;

    private:
        store& db_;
    };
    std::string log_path() const;  // SQLite's write-ahead log; empty: the store is in memory

private:
    enum class outcome { open, corrupt, unusable };
    struct attempt {
        outcome result;
        std::string reason;
    };
    attempt open(const std::string& path);
    attempt prepare(const std::string& path);
    attempt check_contents() const;
    attempt classify(int code) const;
    void use_memory();
    bool migrate(int version);
    std::size_t additions_made() const;
    bool execute(const char* sql);
    void close();

    // unit/store/reserved_space.cpp
    bool transact(const std::function<void()>& writes, bool may_repeat);
    bool note_result(bool done, std::string_view what);
    void reserve_space();
    void reserve_log_space();
    void reserve_database_space();
    bool checkpoint_log();
    static int after_commit(void* self, sqlite3* db, const char* name, int frames);

    sqlite3* db_ = nullptr;
    const std::string path_;
    std::optional<std::string> degraded_;
    std::string set_aside_;
    bool history_lost_ = false;
    bool write_failing_ = false;
    bool may_repeat_ = false;         // inside transaction(): a full disk is not yet a failure
    bool disk_full_ = false;          // a write of this transaction found the disk full
    int frames_at_last_reserve_ = 0;  // of the log
};

// The process records of an open database.
std::vector<process_record> processes_in(sqlite3* db);

}  // namespace hob::unit
