#pragma once
// Breakpoints outlive the sessions of a debugger: they are stored, and restored in each session. Breakpoints
// in sources are stored by source.

#include <boost/asio/awaitable.hpp>

#include <string>
#include <string_view>

#include "unit/protocol/protocol_session.hpp"
#include "util/deadline.hpp"

namespace hob::unit {

// The key that a request for breakpoints is stored under; empty: it is not stored, such as for a source
// without a path, which exists in this session only.
std::string breakpoints_key(const std::string& method, const std::string& params);

// Replaces `file=x.cpp line=3` or `lines:=[3,5]` in the params of setBreakpoints by what the protocol has for
// them. `column`, `condition`, `hitCondition`, `logMessage` and `mode` beside them are of these breakpoints;
// `breakpoints` beside `file` stay. Throws failure(usage).
void expand_breakpoints_shorthand(const std::string& unit, std::string& params, const std::string& directory);

// The answer to a request for breakpoints while there is no session to set them in.
std::string unverified_breakpoints(const std::string& params);

// Stores `params`. If they have no breakpoints, removes what was stored.
void store_breakpoints(session_host& host, const std::string& key, std::string params);

// Sets everything that is stored. `remark` gets the requests that the adapter refuses now; it may be another
// adapter.
boost::asio::awaitable<void> restore_breakpoints(session_host& host, remark_handler remark,
                                                 util::deadline limit);

// `path`, which may be relative to `directory`.
std::string absolute_path(const std::string& path, const std::string& directory);
// Likewise the path in member `key` of `params`, if there is one.
void make_absolute(std::string& params, std::string_view key, const std::string& directory);

}  // namespace hob::unit
