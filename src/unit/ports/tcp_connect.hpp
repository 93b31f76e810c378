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

#include "unit/spec/port_user.hpp"

namespace hob::unit {

// Why an attempt to reach a unit has failed, or would fail if it were over.
struct attempt_failure {
    std::string why;
    std::optional<port_user> port_taken;  // another program has its port
    bool answered = false;                // it was reached, and `why` is about its answer
};

// One attempt, without a limit of its own. Returns a connected socket, close-on-exec, or sets `failed`
// at its end: refused, or a process of this machine that does not `belong` listens there. An empty `belongs`
// accepts any process; `advice` is added to the reason that one does not belong. Throws on cancellation.
boost::asio::awaitable<std::optional<boost::asio::ip::tcp::socket>> connect_to(
    std::string host, std::uint16_t port, std::function<bool(pid_t)> belongs, attempt_failure& failed,
    std::string_view advice = {});

}  // namespace hob::unit
