#pragma once
// The lock of an instance: a daemon lives exactly while it is held. It is a flock(LOCK_EX) on the pid file
// and an OFD write lock on its byte 0, both on one open file description, which passes through exec from
// client to daemon.

#include <sys/types.h>

#include <optional>
#include <string>

#include "error.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

enum class lock_state {
    free,  // nobody holds it, or there is no pid file
    held,
    denied,   // unknown: errno is in lock_view::error
    foreign,  // the pid file is not a regular file of ours
};

struct lock_view {
    lock_state state = lock_state::free;
    int error = 0;
    pid_t pid = 0;  // in the file, if it is a plausible pid, else 0. Only a hint: the lock decides.
};

// Asks without taking the lock (F_OFD_GETLK): taking it for an instant would make other clients fail.
lock_view query_lock(const std::string& pid_path);

// Whether the process has the pid file open: then it is the daemon, even without a page.
bool has_open(pid_t pid, const std::string& pid_path);

// The start cannot continue because the locked pid file was removed. Another start may succeed.
struct pid_file_lost : failure {
    explicit pid_file_lost(const std::string& pid_path);
};

// The held lock. It is released when the last duplicate of its descriptor is closed, so a duplicate in
// another process keeps it.
class instance_lock {
public:
    instance_lock() = default;
    // One attempt; the file is emptied. nullopt: the lock is held, or the file was replaced meanwhile: wait
    // for a limited time and probe again. Throws failure(denied, foreign).
    static std::optional<instance_lock> try_take(const std::string& pid_path);
    // A descriptor handed over by the client that took the lock. Throws failure(internal) if it holds no
    // lock, and pid_file_lost.
    static instance_lock adopt(util::unique_fd fd, const std::string& pid_path);

    int fd() const { return fd_.get(); }
    explicit operator bool() const { return static_cast<bool>(fd_); }

    bool write_pid(pid_t pid);  // false and errno, as on a full disk: the lock is held all the same
    bool still_at(const std::string& pid_path) const;  // the path still names the locked file
    // Removes `path` (socket, page or the pid file itself) if the pid file is still the locked one.
    void unlink_guarded(const std::string& pid_path, const std::string& path) const;

private:
    explicit instance_lock(util::unique_fd fd) : fd_(std::move(fd)) {}
    util::unique_fd fd_;
};

}  // namespace hob::lifecycle
