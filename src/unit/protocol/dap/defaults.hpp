#pragma once
// The handles of the last stop, for calls that name none.

#include <string>
#include <string_view>

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

// The call needs the frame that the program stopped in; `frame` is what is known of it, raw or empty.
bool wants_frame(const call_request& call, const std::string& frame);
// Adds the thread and the frame, both raw, where the call wants them and names none. Empty: not known.
void fill_in(call_request& call, const std::string& thread, const std::string& frame);

// The call is about variables and does not say of which scope.
bool wants_scope(const call_request& call);
void fill_in_scope(call_request& call, const std::string& scope);

// Throws failure(unit_failed) for what would wedge an adapter with these capabilities.
void check_supported(const std::string& unit, const std::string& method, std::string_view capabilities);

}  // namespace hob::unit
