#pragma once
// Breakpoints are kept over the sessions of a debugger, and said again in each. Those of sources are kept one
// a source.

#include <boost/asio/awaitable.hpp>

#include <string>

#include "unit/protocol/protocol_session.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// What a request is kept as; empty: it is not kept. A source without a path is one of this session alone.
std::string breakpoints_key(const std::string& method, const std::string& params);

// `file=x.cpp line=3` or `lines:=[3,5]` in the params of a request for breakpoints, as the protocol has it.
// Throws failure(usage).
void breakpoints_shorthand(const std::string& unit, std::string& params, const std::string& directory);

// What an adapter would answer to `params`, before there is a session to set them in.
std::string breakpoints_promised(const std::string& params);

// Keeps `params`, or what was kept no longer where there are none in it.
void keep_breakpoints(session_host& with, const std::string& key, std::string params);

// Says again all that is kept. What the adapter refuses now, as it may be another, is told by `remark`.
boost::asio::awaitable<void> set_kept_breakpoints(session_host& with, decltype(call_request::remark) remark,
                                                  util::deadline limit);

// A path that may be relative to `directory`.
std::string absolute_path(const std::string& path, const std::string& directory);

}  // namespace hob::unit
