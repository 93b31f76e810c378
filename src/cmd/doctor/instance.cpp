#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

#include "cmd/core/status_view.hpp"
#include "cmd/doctor/checks.hpp"
#include "error.hpp"
#include "identity.hpp"
#include "lifecycle/directories.hpp"
#include "lifecycle/forget.hpp"
#include "lifecycle/pid_lock.hpp"
#include "lifecycle/probe.hpp"
#include "lifecycle/start_failure.hpp"
#include "limits.hpp"
#include "unit/config/config.hpp"
#include "util/fd.hpp"
#include "version.hpp"

namespace hob::cmd {
namespace {

using lifecycle::instance;

finding finding_of(std::string check, const failure& why, const std::string& otherwise) {
    return {std::move(check), health::fail, why.what(), why.hint().empty() ? otherwise : why.hint()};
}

bool exists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

// A missing directory is fine if it can be created.
finding absent_directory(std::string check, const std::string& path) {
    const std::string parent = existing_ancestor(path);
    if (::faccessat(AT_FDCWD, parent.c_str(), W_OK | X_OK, AT_EACCESS) == 0) {
        return {std::move(check), health::ok, fmt::format("{} is created at the first start", path), ""};
    }
    return {std::move(check), health::fail,
            fmt::format("{} cannot be created: {} is not writable", path, parent),
            "create it yourself with mode 0700, or set HOB_RUNTIME_DIR and HOB_STATE_DIR"};
}

// Tries both kinds of locks on an unnamed file. Empty: they work.
std::string lock_problem(const std::string& directory) {
    const util::unique_fd fd = util::open_file(directory, O_TMPFILE | O_RDWR, 0600);
    if (!fd) return fmt::format("a file cannot be created in {}: {}", directory, errno_text(errno));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return "flock: " + errno_text(errno);
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_len = 1;
    if (::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) return "F_OFD_SETLK: " + errno_text(errno);
    return "";
}

// The process that holds a database exclusively, so that no daemon could open it. 0: none, or unknown. The
// locked bytes are part of SQLite's file format; every reader holds a shared lock on them.
pid_t exclusive_lock_holder(int fd) {
    struct flock range {};
    range.l_type = F_RDLCK;
    range.l_whence = SEEK_SET;
    range.l_start = 0x40000002;
    range.l_len = 510;
    if (::fcntl(fd, F_GETLK, &range) != 0 || range.l_type == F_UNLCK) return 0;
    return range.l_pid;
}

finding check_database_file(const std::string& path) {
    const std::string check = "database";
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return {check, health::ok, "created at the first start", ""};
        return {check, health::fail, fmt::format("{}: {}", path, errno_text(errno)), ""};
    }
    if (!S_ISREG(found.st_mode) || found.st_uid != ::geteuid()) {
        return {check, health::fail, fmt::format("{} is not a regular file of ours", path), "move it away"};
    }
    const util::unique_fd fd = util::open_file(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (!fd) {
        return {check, health::fail, fmt::format("{} cannot be opened: {}", path, errno_text(errno)),
                "make it readable and writable: until then nothing is remembered over restarts"};
    }
    if (const pid_t user = exclusive_lock_holder(fd.get()); user > 0) {
        return {check, health::warn, fmt::format("{} is locked by pid {}", path, user),
                fmt::format("let pid {} finish, or end it", user)};
    }
    constexpr std::string_view magic = "SQLite format 3";
    char head[magic.size()] = {};
    const ssize_t n = ::pread(fd.get(), head, sizeof head, 0);
    if (n != 0 && std::string_view(head, sizeof head) != magic) {
        return {check, health::warn, fmt::format("{} is not a database", path),
                "the next start sets it aside"};
    }
    return {check, health::ok, path, ""};
}

}  // namespace

std::string existing_ancestor(std::string path) {
    while (path.size() > 1 && !exists(path)) {
        const auto slash = path.rfind('/');
        path = slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
    }
    return path;
}

finding check_runtime_directory(const instance& where) {
    const std::string check = "runtime-dir";
    try {
        if (!lifecycle::check_runtime_dir(where.runtime_dir, false))
            return absent_directory(check, where.runtime_dir);
    } catch (const failure& why) {
        return finding_of(check, why, "remove it, or set HOB_RUNTIME_DIR");
    }
    return {check, health::ok, where.runtime_dir, ""};
}

finding check_state_directory(const instance& where) {
    const std::string check = "state-dir";
    try {
        if (!lifecycle::check_private_directory(where.state_root, lifecycle::directory_kind::state))
            return absent_directory(check, where.state_root);
        lifecycle::check_private_directory(where.state_dir(), lifecycle::directory_kind::state);
    } catch (const failure& why) {
        return finding_of(check, why, "remove it, or set HOB_STATE_DIR");
    }
    return {check, health::ok, where.state_dir(), ""};
}

finding check_locks(const instance& where) {
    const std::string check = "locks";
    const std::string directory = existing_ancestor(where.runtime_dir);
    const std::string problem = lock_problem(directory);
    if (problem.empty())
        return {check, health::ok, fmt::format("{} knows flock and OFD locks", directory), ""};
    return {check, health::fail, fmt::format("the file system of {} does not lock: {}", directory, problem),
            "set HOB_RUNTIME_DIR to a directory on a local file system"};
}

finding check_socket_path(const instance& where) {
    const std::string check = "socket-path";
    const std::size_t length = where.socket_path().size();
    if (length <= limits::path_in_sockaddr_max) {
        return {check, health::ok,
                fmt::format("{} bytes, at most {} fit", length, limits::path_in_sockaddr_max), ""};
    }
    if (exists("/proc/self/fd")) {
        return {check, health::ok, fmt::format("{} bytes, reached through /proc/self/fd", length), ""};
    }
    return {
        check, health::fail,
        fmt::format("{} bytes: at most {} fit, and there is no /proc", length, limits::path_in_sockaddr_max),
        "set HOB_RUNTIME_DIR to a shorter path"};
}

finding check_config(const instance& where) {
    const std::string check = "config";
    if (where.config_path.empty() || !exists(where.config_path)) {
        if (where.config_required) {
            return {check, health::fail, fmt::format("{} is gone", where.config_path),
                    "hob init writes a new one"};
        }
        return {check, health::ok, "there is none; a project needs one only for its units",
                "hob init writes one"};
    }
    try {
        const unit::config config = unit::load_config(where.config_path, ::geteuid(), where.root);
        if (!config.warnings.empty())
            return {check, health::warn, config.warnings.front(), "all of them: hob check"};
        return {check, health::ok,
                fmt::format("{} is valid, units: {}", where.config_path, config.units.size()), ""};
    } catch (const failure& why) {
        return finding_of(check, why, "try again with: hob check");
    }
}

finding check_crash_loop(const instance& where) {
    const std::string check = "crash-loop";
    if (const auto loop = lifecycle::crash_loop(where)) {
        return {check, health::fail, loop->what(), "hob doctor --clear, once the cause is gone"};
    }
    if (const auto words = lifecycle::read_start_failure(where)) {
        return {check, health::warn, fmt::format("the start at {} failed: {}", words->time, words->message),
                words->hint};
    }
    return {check, health::ok, "the last start did not fail", ""};
}

finding check_daemon(const daemon_glance& seen) {
    const std::string check = "daemon";
    const lifecycle::probe_result& found = seen.found;
    const std::string_view name = lifecycle::name_of(found.state);
    switch (found.state) {
        case lifecycle::daemon_state::dead:
            return {check, health::ok, "not running, the next command starts it", ""};
        case lifecycle::daemon_state::starting:
        case lifecycle::daemon_state::draining:
            return {check, health::ok, fmt::format("{}, pid {}", name, found.pid), ""};
        case lifecycle::daemon_state::alive:
            break;
        case lifecycle::daemon_state::wedged:
        case lifecycle::daemon_state::orphaned:
        case lifecycle::daemon_state::denied:
        case lifecycle::daemon_state::foreign:
            if (found.problem) return finding_of(check, *found.problem, "see its log: hob logs");
            return {check, health::fail, fmt::format("{}, pid {}", name, found.pid), "see its log: hob logs"};
    }
    const ipc::hello& greeting = found.connection->greeting();
    if (greeting.version != version_text) {
        return {
            check, health::warn,
            fmt::format("pid {} is of version {}, this is {}", greeting.pid, greeting.version, version_text),
            "hob restart --daemon"};
    }
    return {check, health::ok, fmt::format("running, pid {}, version {}", greeting.pid, greeting.version),
            ""};
}

std::vector<std::string> leftovers_of(const instance& where) {
    std::vector<std::string> left;
    if (lifecycle::query_lock(where.pid_path()).state != lifecycle::lock_state::free) return left;
    for (const auto& path : {where.socket_path(), where.page_path(), where.pid_path()}) {
        if (exists(path)) left.push_back(path);
    }
    return left;
}

finding check_leftovers(const instance& where) {
    const std::string check = "leftovers";
    const auto lock = lifecycle::query_lock(where.pid_path());
    if (lock.state == lifecycle::lock_state::foreign) {
        return {check, health::fail, fmt::format("{} is not a regular file of ours", where.pid_path()),
                "remove it, if you know what put it there"};
    }
    if (lock.state == lifecycle::lock_state::denied) {
        return {check, health::fail, fmt::format("{}: {}", where.pid_path(), errno_text(lock.error)), ""};
    }
    const auto left = leftovers_of(where);
    if (left.empty()) return {check, health::ok, "none", ""};
    return {check, health::warn, fmt::format("{} of a daemon that is gone", fmt::join(left, ", ")),
            "the next start removes them, and so does: hob doctor --fix"};
}

finding check_deleted_projects() {
    const std::string check = "projects";
    std::vector<std::string> names;
    for (const auto& deleted : lifecycle::deleted_instances())
        names.push_back(deleted.root.empty() ? deleted.key : deleted.root);
    if (names.empty()) return {check, health::ok, "none was deleted", ""};
    return {check, health::warn,
            fmt::format("{} deleted: {}", names.size() == 1 ? "was" : "were", fmt::join(names, ", ")),
            "hob doctor --fix, or hob list --prune, forgets them"};
}

finding check_database(const instance& where, const daemon_glance& seen) {
    const std::string path = where.database_path();
    finding file = check_database_file(path);
    // The daemon opened the file when it started; the state of the file may have changed since.
    const std::string degraded = seen.status ? seen.status->degraded : std::string();
    if (!degraded.empty()) {
        return {file.check, health::fail,
                fmt::format("the daemon remembers nothing after its end: {}", degraded),
                file.hint.empty() ? "once that is over: hob restart --daemon"
                                  : fmt::format("{}, then: hob restart --daemon", file.hint)};
    }
    return file;
}

}  // namespace hob::cmd
