#pragma once
// The status of a unit as JSON, for `hob status`, the status page, and the replies to unit.start, stop and
// restart.

#include <span>
#include <string>

#include "unit/spec/unit_status.hpp"

namespace hob::unit {

// {"name","kind","state","pid","since","restarts","exit","detail","rss_kib","cpu_ms","next_at","last_run"};
// unknown values are null. With "failing":true if it is failing, "changed":true and "new":true likewise,
// and "left":[PID,...] if processes of it could not be ended.
std::string unit_json(const unit_status& status);

// The array of them.
std::string units_json(std::span<const unit_status> units);

}  // namespace hob::unit
