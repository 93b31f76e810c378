#pragma once
// What a debug adapter asks for. runInTerminal: a debug adapter's request to run a program where the user
// sees its output. Here that is the unit's log.

#include "unit/protocol/protocol_session.hpp"

namespace hob::unit {

// Starts the program, and answers the request with its pid once it runs, or with an error. False: the request
// names no program, and is not answered.
bool run_in_terminal(session_host& host, const worker_message& request);

// A child session is a conversation of its own, and a worker has only one. Callers get the adapter's request
// as an event, and can start the child with another worker. Returns true: the request is answered.
bool refuse_child_session(session_host& host, const worker_message& request);

}  // namespace hob::unit
