#include "util/fd.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "error.hpp"

namespace hob::util {

void unique_fd::reset(int fd) {
    const int old = std::exchange(fd_, fd);
    if (old < 0) return;
    const int saved = errno;
    ::close(old);
    errno = saved;
}

pipe_ends make_pipe() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) throw denied("make", "a pipe", errno);
    return {unique_fd(fds[0]), unique_fd(fds[1])};
}

unique_fd open_file(const std::string& path, int flags, unsigned mode) {
    for (;;) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EINTR) return unique_fd(fd);
    }
}

bool write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            pollfd waiting{fd, POLLOUT, 0};
            if (::poll(&waiting, 1, -1) < 0 && errno != EINTR) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

std::optional<std::string> read_file(const std::string& path, std::size_t cap, bool follow) {
    const unique_fd fd = open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | (follow ? 0 : O_NOFOLLOW));
    if (!fd) return std::nullopt;
    std::string bytes;
    char chunk[8192];
    for (;;) {
        const ssize_t n = ::read(fd.get(), chunk, sizeof chunk);
        if (n == 0) return bytes;
        if (n < 0) {
            if (errno == EINTR) continue;
            return std::nullopt;
        }
        if (bytes.size() + static_cast<std::size_t>(n) > cap) {
            errno = EFBIG;
            return std::nullopt;
        }
        bytes.append(chunk, static_cast<std::size_t>(n));
    }
}

bool replace_file(const std::string& path, std::string_view bytes) {
    const std::string temporary = path + ".new-" + std::to_string(::getpid());
    ::unlink(temporary.c_str());
    unique_fd fd = open_file(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!fd) return false;
    const bool written = write_all(fd.get(), bytes) && ::fsync(fd.get()) == 0;
    if (written && ::rename(temporary.c_str(), path.c_str()) == 0) return true;
    const int saved = errno;
    ::unlink(temporary.c_str());
    errno = saved;
    return false;
}

bool make_directories(const std::string& path) {
    for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
        const std::string part = path.substr(0, slash);
        if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
            // For a parent that exists but is not writable, some file systems report EACCES or EROFS instead
            // of EEXIST.
            struct stat existing {};
            const int saved = errno;
            if (::stat(part.c_str(), &existing) != 0 || !S_ISDIR(existing.st_mode)) {
                errno = saved;
                return false;
            }
        }
        if (slash == std::string::npos) break;
    }
    struct stat made {};
    if (::stat(path.c_str(), &made) != 0) return false;
    if (!S_ISDIR(made.st_mode)) {
        errno = ENOTDIR;
        return false;
    }
    return true;
}

void set_nonblocking(int fd, bool on) {
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags >= 0) ::fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK);
}

void set_cloexec(int fd, bool on) { ::fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0); }

}  // namespace hob::util
