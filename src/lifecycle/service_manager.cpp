#include "lifecycle/service_manager.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "error.hpp"
#include "limits.hpp"
#include "util/deadline.hpp"
#include "util/fd.hpp"
#include "util/log/log.hpp"

namespace hob::lifecycle {
namespace {

std::optional<std::uint64_t> number_in(const char* variable) {
    const char* text = std::getenv(variable);
    if (!text) return std::nullopt;
    std::uint64_t value = 0;
    const char* end = text + std::strlen(text);
    const auto [parsed, error] = std::from_chars(text, end, value);
    return error == std::errc() && parsed == end && parsed != text ? std::optional(value) : std::nullopt;
}

std::uint64_t monotonic_microseconds() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 +
           static_cast<std::uint64_t>(now.tv_nsec) / 1000;
}

// One line: a message is lines.
std::string status_line(std::string_view text) {
    std::string line = "STATUS=";
    line += text;
    std::replace_if(
        line.begin(), line.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
    return line + "\n";
}

// 0, or errno.
int send_datagram(const std::string& address, const std::string& message) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    if (address.size() >= sizeof to.sun_path) return ENAMETOOLONG;
    std::memcpy(to.sun_path, address.data(), address.size());
    if (address.front() == '@') to.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
    const util::unique_fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!fd || ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0) return errno;
    // A manager that does not read must not hold up the daemon for long.
    const auto limit = util::deadline::in(limits::notify_timeout);
    while (::send(fd.get(), message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        if (errno != EAGAIN && errno != EINTR) return errno;
        pollfd room{fd.get(), POLLOUT, 0};
        if (limit.expired()) return EAGAIN;
        ::poll(&room, 1, limit.poll_timeout());
    }
    return 0;
}

}  // namespace

service_manager service_manager::from_environment(pid_t started) {
    service_manager found;
    const char* const address = std::getenv("NOTIFY_SOCKET");
    // sd_notify(3) also knows sockets of other families, for managers of virtual machines.
    if (!address || (address[0] != '/' && address[0] != '@') || address[1] == '\0') return found;
    found.address_ = address;
    const auto pid = number_in("WATCHDOG_PID");
    const auto interval = number_in("WATCHDOG_USEC");
    const bool meant = !pid || *pid == static_cast<std::uint64_t>(started);
    constexpr std::uint64_t longest = 1'000'000ull * 60 * 60 * 24 * 365;
    if (meant && interval && *interval > 0)
        found.watchdog_ = std::chrono::microseconds(std::min(*interval, longest));
    return found;
}

void service_manager::ready(std::string_view status) const { send("READY=1\n" + status_line(status)); }

void service_manager::reloading() const {
    send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n{}", monotonic_microseconds(),
                     status_line("reading the configuration again")));
}

void service_manager::stopping(std::string_view reason, std::chrono::milliseconds allowed) const {
    send(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\n{}", std::chrono::microseconds(allowed).count(),
                     status_line(fmt::format("shutting down: {}", reason))));
}

void service_manager::alive() const { send("WATCHDOG=1\n"); }

void service_manager::send(const std::string& message) const {
    if (address_.empty()) return;
    if (const int error = send_datagram(address_, message)) {
        util::log(util::level::warning, "lifecycle", "cannot notify the service manager",
                  {util::field("socket", address_), util::field("reason", errno_text(error))});
    }
}

}  // namespace hob::lifecycle
