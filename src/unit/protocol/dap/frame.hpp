#pragma once
// Where a stopped program is, as a debug adapter tells it.

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

#include "unit/protocol/protocol_session.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// The number, raw, that an adapter has for something: member `key` of `params`. Empty: it is none.
std::string dap_handle(std::string_view params, std::string_view key);

// The frame that `thread` is in, raw. Empty: it is in none.
boost::asio::awaitable<std::string> top_frame_of(session_host& with, std::string thread,
                                                 util::deadline limit);

// The variables that are local to `frame`, an array. Empty: they cannot be told.
boost::asio::awaitable<std::string> locals_of(session_host& with, std::string frame, util::deadline limit);

}  // namespace hob::unit
