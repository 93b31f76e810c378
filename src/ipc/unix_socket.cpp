#include "ipc/unix_socket.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>

#include "error.hpp"
#include "limits.hpp"
#include "util/system_calls.hpp"

namespace hob::ipc {
namespace {

struct address {
    sockaddr_un name{};
    util::unique_fd directory;  // keeps a /proc/self/fd address valid
};

// nullopt and errno when the directory cannot be opened.
std::optional<address> address_of(const std::string& path) {
    address made;
    made.name.sun_family = AF_UNIX;
    std::string text = path;
    if (text.size() > limits::path_in_sockaddr_max) {
        const auto slash = path.rfind('/');
        made.directory = util::open_file(path.substr(0, slash), O_PATH | O_DIRECTORY);
        if (!made.directory) return std::nullopt;
        text = "/proc/self/fd/" + std::to_string(made.directory.get()) + path.substr(slash);
        if (text.size() > limits::path_in_sockaddr_max || ::access("/proc/self/fd", F_OK) != 0) {
            errno = ENAMETOOLONG;
            return std::nullopt;
        }
    }
    std::memcpy(made.name.sun_path, text.c_str(), text.size() + 1);
    return made;
}

const sockaddr* generic(const sockaddr_un& name) { return reinterpret_cast<const sockaddr*>(&name); }

timeval as_timeval(std::chrono::milliseconds left) {
    timeval value{};
    value.tv_sec = static_cast<time_t>(left.count() / 1000);
    value.tv_usec = static_cast<suseconds_t>(left.count() % 1000 * 1000);
    if (value.tv_sec == 0 && value.tv_usec == 0) value.tv_usec = 1;
    return value;
}

// Lets the kernel wait for room in a full backlog: a blocking connect, limited by the send time-out.
int wait_for_backlog(int fd, const address& to, util::deadline limit) {
    util::set_nonblocking(fd, false);
    int error = EAGAIN;
    while (error == EAGAIN && !limit.expired()) {
        timeval left{};
        if (!limit.is_never()) left = as_timeval(limit.remaining());
        ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left);
        error = ::connect(fd, generic(to.name), sizeof to.name) == 0 ? 0 : errno;
        if (error == EINTR) error = EAGAIN;
    }
    util::set_nonblocking(fd, true);
    return error;
}

}  // namespace

connected connect_unix(const std::string& path, util::deadline limit) {
    connected result;
    const auto to = address_of(path);
    if (!to) {
        result.error = errno;
        return result;
    }
    result.socket = util::unique_fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!result.socket) {
        result.error = errno;
        return result;
    }
    int error = ::connect(result.socket.get(), generic(to->name), sizeof to->name) == 0 ? 0 : errno;
    if (error == EAGAIN) error = wait_for_backlog(result.socket.get(), *to, limit);
    if (error != 0) {
        result.socket.reset();
        result.error = error;
    }
    return result;
}

util::unique_fd bind_unix(const std::string& path) {
    const auto at = address_of(path);
    if (!at) throw denied("bind", path, errno);
    util::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd || ::fchmod(fd.get(), 0600) != 0 || ::bind(fd.get(), generic(at->name), sizeof at->name) != 0) {
        throw denied("bind", path, errno);
    }
    return fd;
}

bool is_listened_on(const std::string& path) {
    std::ifstream sockets("/proc/net/unix");
    // Num RefCount Protocol Flags Type St Inode Path
    constexpr std::string_view listening = " 00010000 0001 01 ";
    for (std::string line; std::getline(sockets, line);) {
        if (line.ends_with(" " + path) && line.find(listening) != std::string::npos) return true;
    }
    return false;
}

util::unique_fd accept_unix(int listener) {
    util::unique_fd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd || !util::is_refusal(errno)) return fd;
    fd.reset(::accept(listener, nullptr, nullptr));
    if (!fd) return fd;
    util::set_cloexec(fd.get(), true);
    util::set_nonblocking(fd.get(), true);
    return fd;
}

}  // namespace hob::ipc
