#pragma once
// The lock that is the truth about whether a daemon lives: flock(LOCK_EX) on the pid file and an OFD write
// lock on its byte 0, both on one open file description, which passes through exec from client to daemon.

#include <sys/types.h>

#include <optional>
#include <string>

#include "error.hpp"
#include "util/fd.hpp"

namespace hob::lifecycle {

enum class lock_state {
    free,  // nobody holds it, or there is no pid file
    held,
    denied,   // cannot be told: errno is in lock_view::error
    foreign,  // the pid file is not a regular file of ours
};

struct lock_view {
    lock_state state = lock_state::free;
    int error = 0;
    pid_t pid = 0;  // what the file says, when it says a plausible pid; 0 otherwise. A hint, never a truth.
};

// Asks, without taking anything (F_OFD_GETLK): a looker that took the lock for an instant would make others
// fail.
lock_view query_lock(const std::string& pid_path);

// Why a start cannot go on when somebody removed the pid file that its lock is on. Nothing is wrong with what
// was started: another start may well succeed.
struct pid_file_lost : failure {
    explicit pid_file_lost(const std::string& pid_path);
};

// The held lock. Closing the last duplicate of its descriptor frees it; unlock() is never called, so that a
// duplicate in another process keeps it.
class instance_lock {
public:
    instance_lock() = default;
    // One attempt. nullopt: somebody else holds it, or a foreign program does for an instant, or the file was
    // replaced meanwhile: wait, bounded, and look again. Throws failure(denied, foreign). The file is
    // emptied.
    static std::optional<instance_lock> try_take(const std::string& pid_path);
    // A descriptor handed over by the client that took the lock. Throws failure(internal) when it holds no
    // lock, and taken_away.
    static instance_lock adopt(util::unique_fd fd, const std::string& pid_path);

    int fd() const { return fd_.get(); }
    explicit operator bool() const { return static_cast<bool>(fd_); }

    bool write_pid(pid_t pid);  // false and errno, as on a full disk: the lock holds without the number
    bool still_at(const std::string& pid_path) const;  // the path names this very file
    // Removes `path` (socket, page or the pid file itself) if the pid file is still ours.
    void unlink_guarded(const std::string& pid_path, const std::string& path) const;

private:
    explicit instance_lock(util::unique_fd fd) : fd_(std::move(fd)) {}
    util::unique_fd fd_;
};

}  // namespace hob::lifecycle
