#pragma once
// The daemon's half of `hob status` and `hob events`.

#include <string>

#include "ipc/message.hpp"
#include "ipc/session.hpp"
#include "lifecycle/daemon.hpp"

namespace hob::cmd {

// The status object; `units`: of these alone, in this order. Throws failure(unit_unknown).
std::string status_report(lifecycle::daemon& of, const std::vector<std::string>& units);

// hob.status {"units":["name",…]?}
std::string answer_status(lifecycle::daemon& of, ipc::session& from, const ipc::request& asked);

// hob.subscribe {}: {"status":<status object>}, with every later event to follow.
std::string answer_subscribe(lifecycle::daemon& of, ipc::session& from, const ipc::request& asked);

}  // namespace hob::cmd
