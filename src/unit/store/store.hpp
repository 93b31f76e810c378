#pragma once
// The daemon's durable state: <state>/<key>/hob.db. SQLite in WAL mode with synchronous=FULL, so that what a
// call here has returned from survives a crash of the machine.
//
// Opening: a corrupt file (SQLITE_CORRUPT, SQLITE_NOTADB) is set aside with its -wal and -shm as
// hob.db.corrupt-<time> and a new one made; a schema newer than ours is failure(version); anything else that
// is in the way (locked, full, read-only, unreadable) leaves the file alone and the daemon goes on with a
// store in memory, logged, and told by degraded(). No broken state file ever stops a start. Only one process
// uses a store at a time (the caller holds the state directory's lock). One thread.
//
// A full disk: room for the log and the database is set aside at the opening (limits::store_log_room,
// limits::store_database_room) and kept ahead of what is written. A write that finds no room moves the log
// into the database, so that the log starts over in the room that it has, and is tried once more. Where
// nothing could be set aside (no room, or a file system that cannot), writes fail as they would anywhere.

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

// A process group that this daemon started, as the next daemon needs to know it.
struct process_record {
    std::string unit;
    pid_t pid = 0;
    pid_t pgid = 0;
    pid_t session = 0;
    std::uint64_t start_time = 0;  // clock ticks since boot, of pid
    std::string boot_id;
    kill_scope kill = kill_scope::all;
};

// That a service is to be up.
struct desired_state_record {
    std::optional<std::vector<std::string>> environment;  // K=V, of who asked; nullopt: the daemon's own
    bool operator==(const desired_state_record&) const = default;
};

// What a worker has to know again, see unit/worker/worker_memory.hpp.
struct memory_record {
    std::string key;
    std::string value;
    std::string bound_to;  // what it holds for
};

class store {
public:
    // `path`: hob.db. Empty: in memory from the start, as tests want it. Throws failure(version) for a newer
    // schema.
    explicit store(const std::string& path);
    ~store();
    store(const store&) = delete;
    store& operator=(const store&) = delete;

    // Why the state is not durable; nullopt when it is.
    const std::optional<std::string>& degraded() const { return degraded_; }
    // The file that a corrupt predecessor was moved to in this opening; empty: none was.
    const std::string& set_aside() const { return set_aside_; }
    // What an earlier daemon recorded may be missing: degraded, set aside, or a file that had lost its
    // contents.
    bool history_lost() const { return history_lost_; }

    // Whether this user has asked for something in this configuration before (DESIGN 3.1).
    bool consented();
    void set_consented();

    // Process records: put before the child is acknowledged as started, forgotten once nothing of it is left.
    // A write that fails is logged, once until one succeeds, and degrades nothing: the marks are a second
    // way.
    void put_process(const process_record& record);
    void forget_process(const std::string& unit, pid_t pid);
    std::vector<process_record> processes();

    // What should be up, over crashes and restarts, until it is stopped. Durable when it returns.
    void set_desired_up(const std::string& unit, const std::optional<std::vector<std::string>>& environment);
    void clear_desired_up(const std::string& unit);
    void clear_all_desired_up();
    std::optional<desired_state_record> desired_up(const std::string& unit);

    // All that `writes` writes becomes durable in one step. It may be called twice: what the first call wrote
    // is then undone.
    void transaction(const std::function<void()>& writes);

    // `hob stop` of a unit holds it until `hob start`.
    bool stopped_by_user(const std::string& unit);
    void set_stopped_by_user(const std::string& unit, bool on);

    // What a worker remembers, by key.
    std::vector<memory_record> memory(const std::string& unit);
    // Durable when it returns true; false: it could not be written.
    bool remember(const std::string& unit, const memory_record& what);
    bool forget(const std::string& unit, const std::string& key);

    // For what keeps tables of its own in the same file (unit/store/run_store.hpp). Executes a statement that
    // writes; a failure is logged, once until a write succeeds, and its reason is sqlite3_errmsg's.
    sqlite3* handle() const { return db_; }
    bool write(sqlite_statement& put, std::string_view what);

    // What is written during its life survives a crash of this process; one of the machine only after the
    // file log_path() has been made durable (util/disk_sync.hpp).
    class without_sync {
    public:
        explicit without_sync(store& of);
        ~without_sync();
        without_sync(const without_sync&) = delete;
        without_sync& operator=(const without_sync&) = delete;

    private:
        store& of_;
    };
    std::string log_path() const;  // SQLite's write-ahead log; empty: the store is in memory

private:
    enum class outcome { open, corrupt, unusable };
    struct attempt {
        outcome what;
        std::string reason;
    };
    attempt open(const std::string& path);
    attempt prepare(const std::string& path);
    attempt judge(int code) const;
    void use_memory();
    bool migrate(int version);
    bool execute(const char* sql);
    void close();

    // unit/store/reserved_space.cpp
    bool transact(const std::function<void()>& writes, bool may_repeat);
    bool written(bool done, std::string_view what);
    void keep_room();
    void keep_log_room();
    void keep_database_room();
    bool start_log_over();
    static int after_commit(void* self, sqlite3* db, const char* name, int frames);

    sqlite3* db_ = nullptr;
    const std::string path_;
    std::optional<std::string> degraded_;
    std::string set_aside_;
    bool history_lost_ = false;
    bool write_failing_ = false;
    bool may_repeat_ = false;   // within together(): what finds no room is not yet a failure
    bool out_of_room_ = false;  // since its beginning, something did
    int frames_looked_at_ = 0;  // of the log, when the database's room was last looked after
};

}  // namespace hob::unit
