#pragma once
// A connection to a unit's process that listens on a port.

#include <sys/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hob::unit {

// One attempt, without a limit of its own. Returns a connected socket, close-on-exec, or sets `why`: refused,
// or a process of this machine that does not `belong` listens there. An empty `belongs` accepts any
// process; `advice` is added to the reason that one does not belong. Throws on cancellation.
boost::asio::awaitable<std::optional<boost::asio::ip::tcp::socket>> connect_to(
    std::string host, std::uint16_t port, std::function<bool(pid_t)> belongs, std::string& why,
    std::string_view advice = {});

}  // namespace hob::unit
