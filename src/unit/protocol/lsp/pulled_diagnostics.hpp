#pragma once

#include <boost/asio/awaitable.hpp>

#include <string>

#include "unit/protocol/protocol_session.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// The diagnostics of a document that the server answers when it is asked, a raw array; empty array: it
// refused.
boost::asio::awaitable<std::string> pulled_diagnostics(session_host& host, std::string uri,
                                                       util::deadline limit);

}  // namespace hob::unit
