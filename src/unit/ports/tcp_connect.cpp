#include "unit/ports/tcp_connect.hpp"

#include <sys/socket.h>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <utility>
#include <vector>

#include "error.hpp"
#include "unit/ports/port_owner.hpp"
#include "util/fd.hpp"

namespace hob::unit {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::vector<asio::ip::address> addresses_of(const std::string& host) {
    if (host == "localhost") return {asio::ip::address_v4::loopback(), asio::ip::address_v6::loopback()};
    boost::system::error_code error;
    const auto address = asio::ip::make_address(host, error);
    return error ? std::vector<asio::ip::address>() : std::vector{address};
}

asio::awaitable<void> throw_if_cancelled() {
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none)
        throw boost::system::system_error(asio::error::operation_aborted);
}

bool on_this_machine(const tcp::socket& socket) {
    boost::system::error_code error;
    const auto here = socket.local_endpoint(error);
    const auto there = socket.remote_endpoint(error);
    return !error && here.address() == there.address();
}

// False, with `failed`: another program of this machine listens on the port.
bool is_ours(const tcp::socket& socket, std::uint16_t port, const std::function<bool(pid_t)>& belongs,
             attempt_failure& failed) {
    if (!on_this_machine(socket)) return true;
    port_user user;
    if (owner_of_port(port, belongs, user) != port_owner::foreign) return true;
    failed.why = fmt::format("port {} is answered by {}, which is no part of it", port, user.text());
    failed.port_taken = std::move(user);
    return false;
}

}  // namespace

asio::awaitable<std::optional<tcp::socket>> connect_to(std::string host, std::uint16_t port,
                                                       std::function<bool(pid_t)> belongs,
                                                       attempt_failure& failed, std::string_view advice) {
    const auto executor = co_await asio::this_coro::executor;
    attempt_failure now;
    for (const auto& address : addresses_of(host)) {
        const tcp::endpoint endpoint(address, port);
        util::unique_fd fd(::socket(endpoint.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (!fd) {
            now.why = errno_text(errno);
            continue;
        }
        tcp::socket socket(executor);
        socket.assign(endpoint.protocol(), fd.release());
        boost::system::error_code error;
        auto token = asio::redirect_error(asio::use_awaitable, error);
        co_await socket.async_connect(endpoint, token);
        co_await throw_if_cancelled();
        if (error) {
            // That another program has the port says more than that another address is not listened on.
            if (!now.port_taken) now.why = fmt::format("port {}: {}", port, error.message());
        } else if (!belongs || is_ours(socket, port, belongs, now)) {
            co_return std::optional<tcp::socket>(std::move(socket));
        } else {
            now.why += advice;
        }
    }
    failed = std::move(now);
    co_return std::nullopt;
}

}  // namespace hob::unit
