#include "harness/raw_client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "harness/sandbox.hpp"

namespace hob::test {
namespace {

util::unique_fd connect_to(const std::string& path) {
    util::unique_fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    util::unique_fd directory;
    std::string name = path;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (name.size() >= sizeof address.sun_path) {
        const auto slash = path.rfind('/');
        directory = util::open_file(path.substr(0, slash), O_PATH | O_DIRECTORY);
        name = "/proc/self/fd/" + std::to_string(directory.get()) + path.substr(slash);
    }
    std::memcpy(address.sun_path, name.c_str(), name.size() + 1);
    if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw test_failure("cannot connect to " + path + ": " + std::strerror(errno));
    }
    return fd;
}

}  // namespace

raw_client::raw_client(const std::string& socket_path) : fd_(connect_to(socket_path)) {}

void raw_client::send(std::string_view bytes) {
    if (!try_send(bytes)) throw test_failure("the peer takes no more bytes");
}

bool raw_client::try_send(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0) {
            bytes.remove_prefix(static_cast<std::size_t>(n));
        } else if (errno == EAGAIN) {
            pollfd waiting{fd_.get(), POLLOUT, 0};
            if (::poll(&waiting, 1, 1000) == 0) return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

void raw_client::request(std::string_view id, std::string_view method, std::string_view params) {
    std::string line = R"({"jsonrpc":"2.0","id":)";
    line.append(id)
        .append(R"(,"method":")")
        .append(method)
        .append(R"(","params":)")
        .append(params)
        .append("}\n");
    send(line);
}

std::optional<std::string> raw_client::line(std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        if (const auto newline = pending_.find('\n'); newline != std::string::npos) {
            std::string found = pending_.substr(0, newline);
            pending_.erase(0, newline + 1);
            return found;
        }
        const auto left =
            std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        pollfd waiting{fd_.get(), POLLIN, 0};
        if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) == 0) {
            throw test_failure("no line in time; pending: '" + pending_.substr(0, 200) + "'");
        }
        char chunk[65536];
        const ssize_t n = ::recv(fd_.get(), chunk, sizeof chunk, 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET)) return std::nullopt;
        if (n > 0) pending_.append(chunk, static_cast<std::size_t>(n));
    }
}

std::string raw_client::reply(std::chrono::milliseconds limit) {
    for (;;) {
        auto next = line(limit);
        if (!next) throw test_failure("end of file instead of a reply");
        if (json_at(*next, "/id")) return *next;
    }
}

void raw_client::half_close() { ::shutdown(fd_.get(), SHUT_WR); }

}  // namespace hob::test
