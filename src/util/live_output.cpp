#include "util/live_output.hpp"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

namespace hob::util {

live_output::live_output(int descriptor) : shared_(descriptor) {
    struct stat facts {};
    if (::fstat(descriptor, &facts) != 0) return;
    if (S_ISREG(facts.st_mode)) kind_ = kind::file;
    if (S_ISSOCK(facts.st_mode)) kind_ = kind::socket;
    if (!S_ISFIFO(facts.st_mode) && !S_ISCHR(facts.st_mode)) return;
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    own_.reset(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (own_) kind_ = kind::nonblocking;
}

std::optional<std::size_t> live_output::write(std::string_view bytes) const {
    if (kind_ == kind::waits) {
        // Of a pipe that poll(2) reports writable this much does not block.
        pollfd out{shared_, POLLOUT, 0};
        if (::poll(&out, 1, 0) <= 0) return 0;
        bytes = bytes.substr(0, PIPE_BUF);
    }
    const ssize_t n = kind_ == kind::socket
                          ? ::send(shared_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                          : ::write(descriptor(), bytes.data(), bytes.size());
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return 0;
    return std::nullopt;
}

}  // namespace hob::util
