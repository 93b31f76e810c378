#pragma once
// A connection to a process of ours that listens on a port.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace hob::unit {

// One attempt, without a limit of its own. A connected socket, close-on-exec, or `why`: refused, or answered
// on this machine by a process that does not `belong`. Throws on cancellation.
boost::asio::awaitable<std::optional<boost::asio::ip::tcp::socket>> connect_to(
    std::string host, std::uint16_t port, std::function<bool(pid_t)> belongs, std::string& why);

}  // namespace hob::unit
