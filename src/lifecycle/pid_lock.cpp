#include "lifecycle/pid_lock.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>

#include "error.hpp"
#include "lifecycle/directories.hpp"

namespace hob::lifecycle {
namespace {

constexpr std::size_t pid_text_max = 32;

struct flock first_byte(short type) {
    struct flock range {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = 0;
    range.l_len = 1;
    return range;
}

// The pid in the file: above 1, digits and a newline, nothing else.
pid_t read_pid(int fd) {
    char text[pid_text_max];
    const ssize_t n = ::pread(fd, text, sizeof text, 0);
    if (n < 2 || text[n - 1] != '\n') return 0;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text, text + n - 1, pid);
    if (error != std::errc() || end != text + n - 1 || pid <= 1) return 0;
    return pid;
}

bool same_file(int fd, const std::string& path) {
    struct stat open {};
    struct stat named {};
    return ::fstat(fd, &open) == 0 && ::lstat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
           open.st_ino == named.st_ino;
}

bool regular_and_ours(int fd) {
    struct stat found {};
    return ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_uid == ::geteuid();
}

failure not_a_pid_file(const std::string& path) {
    return failure(error_kind::foreign, cannot("use", path), "not a regular file of ours",
                   "remove it, if you know what put it there");
}

bool is_misplaced(int error) {
    return error == ELOOP || error == EISDIR || error == ENXIO || error == ENODEV;
}

}  // namespace

lock_view query_lock(const std::string& pid_path) {
    lock_view view;
    const util::unique_fd fd = util::open_file(pid_path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    if (!fd) {
        if (errno == ENOENT || errno == ENOTDIR) return view;
        view.state = is_misplaced(errno) ? lock_state::foreign : lock_state::denied;
        view.error = errno;
        return view;
    }
    if (!regular_and_ours(fd.get())) {
        view.state = lock_state::foreign;
        return view;
    }
    struct flock range = first_byte(F_WRLCK);
    if (::fcntl(fd.get(), F_OFD_GETLK, &range) != 0) {
        view.state = lock_state::denied;
        view.error = errno;
        return view;
    }
    view.state = range.l_type == F_UNLCK ? lock_state::free : lock_state::held;
    view.pid = read_pid(fd.get());
    return view;
}

bool has_open(pid_t pid, const std::string& pid_path) {
    struct stat pid_file {};
    if (::stat(pid_path.c_str(), &pid_file) != 0) return false;
    const std::string directory = fmt::format("/proc/{}/fd", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
    if (!dir) return false;
    while (const dirent* entry = ::readdir(dir.get())) {
        struct stat open {};
        const std::string path = directory + "/" + entry->d_name;
        if (::stat(path.c_str(), &open) == 0 && open.st_dev == pid_file.st_dev &&
            open.st_ino == pid_file.st_ino)
            return true;
    }
    return false;
}

pid_file_lost::pid_file_lost(const std::string& pid_path)
    : failure(error_kind::start_failed, cannot("go on"), "the pid file '" + pid_path + "' was taken away") {}

std::optional<instance_lock> instance_lock::try_take(const std::string& pid_path) {
    util::unique_fd fd =
        util::open_file(pid_path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    if (!fd) {
        if (is_misplaced(errno)) throw not_a_pid_file(pid_path);
        if (errno != EROFS) throw denied("open", pid_path, errno);
        throw failure(error_kind::denied, cannot("open", pid_path), errno_text(errno),
                      way_out(directory_kind::runtime));
    }
    if (!regular_and_ours(fd.get())) throw not_a_pid_file(pid_path);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK || errno == EINTR) return std::nullopt;
        throw denied("lock", pid_path, errno);
    }
    struct flock range = first_byte(F_WRLCK);
    if (::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
        if (errno == EAGAIN || errno == EACCES || errno == EINTR) return std::nullopt;
        throw denied("lock", pid_path, errno);
    }
    // Its last owner may have unlinked the file between open and lock: a lock on the old inode excludes
    // nobody.
    if (!same_file(fd.get(), pid_path)) return std::nullopt;
    if (::ftruncate(fd.get(), 0) != 0) throw denied("write", pid_path, errno);
    return instance_lock(std::move(fd));
}

instance_lock instance_lock::adopt(util::unique_fd fd, const std::string& pid_path) {
    util::set_cloexec(fd.get(), true);
    // Locking again succeeds only if this open file description holds the lock.
    struct flock range = first_byte(F_WRLCK);
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 || ::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
        throw failure(error_kind::internal, cannot("take over the lock of", pid_path),
                      "it was not handed over");
    }
    if (!same_file(fd.get(), pid_path)) throw pid_file_lost(pid_path);
    return instance_lock(std::move(fd));
}

bool instance_lock::write_pid(pid_t pid) {
    const std::string text = std::to_string(pid) + "\n";
    ssize_t n = 0;
    do {
        n = ::pwrite(fd_.get(), text.data(), text.size(), 0);
    } while (n < 0 && errno == EINTR);
    if (n >= 0) errno = ENOSPC;
    return n == static_cast<ssize_t>(text.size());
}

bool instance_lock::still_at(const std::string& pid_path) const { return same_file(fd_.get(), pid_path); }

void instance_lock::unlink_guarded(const std::string& pid_path, const std::string& path) const {
    if (still_at(pid_path)) ::unlink(path.c_str());
}

}  // namespace hob::lifecycle
