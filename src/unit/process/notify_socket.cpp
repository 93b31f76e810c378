#include "unit/process/notify_socket.hpp"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "error.hpp"
#include "limits.hpp"
#include "util/async.hpp"
#include "util/fd.hpp"
#include "util/utf8.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;

constexpr std::size_t secret_bytes = 16;
constexpr std::size_t descriptors_max = 253;  // SCM_MAX_FD

std::string random_name() {
    std::array<unsigned char, secret_bytes> bytes{};
    if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
        throw denied("make", "the name of a notify socket", errno);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string name = "hob-notify-";
    for (const unsigned char byte : bytes)
        name.append({digits[byte >> 4], digits[byte & 15]});
    return name;
}

// Closes descriptors that were sent along, which would leak. True if the sender is this user or root.
bool check_ancillary_data(msghdr& message) {
    bool permitted = false;
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
        if (part->cmsg_level != SOL_SOCKET) continue;
        if (part->cmsg_type == SCM_CREDENTIALS) {
            ucred sender{};
            std::memcpy(&sender, CMSG_DATA(part), sizeof sender);
            permitted = sender.uid == ::geteuid() || sender.uid == 0;
        }
        if (part->cmsg_type == SCM_RIGHTS) {
            const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (std::size_t i = 0; i < count; ++i) {
                int fd = -1;
                std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
                ::close(fd);
            }
        }
    }
    return permitted;
}

std::optional<std::int64_t> positive_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || number <= 0) return std::nullopt;
    return number;
}

void call(const std::function<void()>& handler) {
    if (handler) handler();
}

}  // namespace

notify_socket::notify_socket(const asio::any_io_executor& executor, handlers on)
    : socket_(executor), on_(std::move(on)) {}

std::shared_ptr<notify_socket> notify_socket::make(const asio::any_io_executor& executor, handlers on) {
    std::shared_ptr<notify_socket> socket(new notify_socket(executor, std::move(on)));
    util::unique_fd fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    const int yes = 1;
    if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
        throw denied("make", "a notify socket", errno);
    const std::string name = random_name();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::copy(name.begin(), name.end(), address.sun_path + 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0)
        throw denied("bind", "a notify socket", errno);
    socket->socket_.assign(fd.release());
    socket->address_ = "@" + name;
    util::spawn(executor, socket->read_all(), "notify socket");
    return socket;
}

std::shared_ptr<notify_socket> notify_socket::adopt(const asio::any_io_executor& executor,
                                                    util::unique_fd socket, std::string address,
                                                    handlers on) {
    std::shared_ptr<notify_socket> adopted(new notify_socket(executor, std::move(on)));
    adopted->socket_.assign(socket.release());
    adopted->address_ = std::move(address);
    util::spawn(executor, adopted->read_all(), "notify socket");
    return adopted;
}

asio::awaitable<void> notify_socket::read_all() {
    const auto self = shared_from_this();
    while (socket_.is_open()) {
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await socket_.async_wait(asio::posix::stream_descriptor::wait_read, token);
        if (error) co_return;
        receive();
    }
}

// A message leaves the socket, which the keeper holds, after it was acted on: one that a killed daemon had
// begun with is read again by the next one.
void notify_socket::receive() {
    std::array<char, limits::notify_message_max> text;
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(descriptors_max * sizeof(int))>
        control;
    iovec into{text.data(), text.size()};
    msghdr message{};
    message.msg_iov = &into;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t n =
        ::recvmsg(socket_.native_handle(), &message, MSG_PEEK | MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0) return;
    if (check_ancillary_data(message) && (message.msg_flags & MSG_TRUNC) == 0)
        decode({text.data(), static_cast<std::size_t>(n)});
    if (socket_.is_open()) ::recv(socket_.native_handle(), text.data(), 1, MSG_DONTWAIT);
}

void notify_socket::decode(std::string_view message) {
    while (!message.empty()) {
        const auto end = std::min(message.find('\n'), message.size());
        const std::string_view line = message.substr(0, end);
        message.remove_prefix(std::min(end + 1, message.size()));
        const auto equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        const std::string_view key = line.substr(0, equals), value = line.substr(equals + 1);
        if (key == "READY" && value == "1") call(on_.ready);
        if (key == "STOPPING" && value == "1") call(on_.stopping);
        if (key == "WATCHDOG" && value == "1") call(on_.alive);
        if (key == "WATCHDOG" && value == "trigger") call(on_.trigger);
        if (key == "STATUS" && util::is_utf8(value) && on_.status) on_.status(std::string(value));
        const auto number = positive_number(value);
        if (!number) continue;
        if (key == "WATCHDOG_USEC" && on_.set_interval) on_.set_interval(std::chrono::microseconds(*number));
        if (key == "EXTEND_TIMEOUT_USEC" && on_.extend_timeout)
            on_.extend_timeout(std::chrono::microseconds(*number));
        if (key == "MAINPID" && on_.main_pid && *number <= std::numeric_limits<pid_t>::max())
            on_.main_pid(static_cast<pid_t>(*number));
    }
}

void notify_socket::close() {
    on_ = {};
    boost::system::error_code ignored;
    socket_.close(ignored);
}

}  // namespace hob::unit
