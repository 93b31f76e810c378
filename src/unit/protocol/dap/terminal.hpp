#pragma once
// runInTerminal: a debug adapter's request to run a program where its user sees it, which is the unit's log.

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

// Runs it and answers with its process. False: it is not answered.
bool run_in_terminal(session_host& with, const worker_message& request);

}  // namespace hob::unit
