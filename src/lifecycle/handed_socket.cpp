#include "lifecycle/handed_socket.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "identity.hpp"
#include "ipc/unix_socket.hpp"
#include "lifecycle/runtime_files_watch.hpp"
#include "limits.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {
namespace {

constexpr int first_handed = 3;  // SD_LISTEN_FDS_START
constexpr int handed_max = 1024;

int number_in(const char* variable) {
    const char* text = std::getenv(variable);
    if (!text) return 0;
    int value = 0;
    const char* end = text + std::strlen(text);
    const auto [parsed, error] = std::from_chars(text, end, value);
    return error == std::errc() && parsed == end ? value : 0;
}

int option_of(int fd, int option) {
    int value = 0;
    socklen_t size = sizeof value;
    return ::getsockopt(fd, SOL_SOCKET, option, &value, &size) == 0 ? value : -1;
}

// Empty: it is not bound to a path.
std::string path_of_socket(int fd) {
    sockaddr_un name{};
    socklen_t size = sizeof name;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&name), &size) != 0) return {};
    const std::size_t head = offsetof(sockaddr_un, sun_path);
    if (size <= head || name.sun_path[0] == '\0') return {};
    return {name.sun_path, ::strnlen(name.sun_path, size - head)};
}

std::string directory_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1) + "."; }

// The same file, whichever way its directory is named.
bool same_path(const std::string& one, const std::string& other) {
    if (one == other) return true;
    if (one.substr(one.rfind('/') + 1) != other.substr(other.rfind('/') + 1)) return false;
    const auto directory = identity_of(directory_of(one));
    return directory && directory == identity_of(directory_of(other));
}

// Empty: it is the socket of this instance.
std::string fault_of(int fd, const instance& where) {
    if (option_of(fd, SO_DOMAIN) != AF_UNIX || option_of(fd, SO_TYPE) != SOCK_STREAM)
        return "it is no Unix stream socket";
    if (option_of(fd, SO_ACCEPTCONN) != 1) return "it does not listen";
    const std::string path = path_of_socket(fd);
    if (path.empty()) return "it is not bound to a path";
    if (!same_path(path, where.socket_path()))
        return fmt::format("it is bound to '{}', not to '{}'", path, where.socket_path());
    return {};
}

}  // namespace

std::string manager_unit(const instance& where) {
    return std::string(this_program.name).append("-").append(where.key);
}

handed_socket handed_socket::take(const instance& where) {
    handed_socket taken;
    if (number_in("LISTEN_PID") != ::getpid()) return taken;
    const int count = std::min(number_in("LISTEN_FDS"), handed_max);
    for (int fd = first_handed; fd < first_handed + count; ++fd) {
        if (::fcntl(fd, F_GETFD) < 0) continue;
        util::unique_fd candidate(fd);
        const std::string fault = fault_of(fd, where);
        if (fault.empty() && !taken.listening_) {
            util::set_cloexec(fd, true);
            taken.listening_ = std::move(candidate);
        } else if (!fault.empty()) {
            taken.problem_ = fault;
        }
    }
    if (taken.listening_) taken.problem_.clear();
    return taken;
}

void handed_socket::turn_clients_away() const {
    if (!listening_) return;
    util::set_nonblocking(listening_.get(), true);
    while (ipc::accept_unix(listening_.get())) {
    }
}

bool listen_anew(int listening, const std::string& path) {
    util::set_nonblocking(listening, true);
    if (::listen(listening, limits::listen_backlog) != 0) return false;
    // From now on whoever connects to it sees this process.
    const auto connection = ipc::connect_unix(path, util::deadline::in(std::chrono::milliseconds(0)));
    if (!connection.socket) return connection.error == EAGAIN;
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(connection.socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.pid == ::getpid();
}

}  // namespace hob::lifecycle
