#pragma once
// The stack frame that a stopped program is in.

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

#include "error.hpp"
#include "unit/protocol/protocol_session.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// The number in member `key` of `params`, raw; adapters have numbers for threads, frames and variables.
// Empty: there is no number.
std::string dap_handle(std::string_view params, std::string_view key);

// The top frame of `thread`, raw. Empty: there is none.
boost::asio::awaitable<std::string> top_frame_of(session_host& host, std::string thread,
                                                 util::deadline limit);

// The handle of the scope of local variables of `frame`, raw. Empty: there is none.
boost::asio::awaitable<std::string> locals_scope_of(session_host& host, std::string frame,
                                                    util::deadline limit);

// The local variables of `frame`, a raw array. Empty: the adapter does not know them.
boost::asio::awaitable<std::string> locals_of(session_host& host, std::string frame, util::deadline limit);

// The members `frame` and `locals` for a stop in `frame`, as far as the adapter knows them. `details_error`
// says why one is missing.
boost::asio::awaitable<raw_members> details_of_stop(session_host& host, std::string frame,
                                                    util::deadline limit);
// The member that says why details are missing.
raw_members missing_details(const failure& why);

}  // namespace hob::unit
