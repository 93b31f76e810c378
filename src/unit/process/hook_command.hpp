#pragma once
// A command that runs beside a unit, in a session of its own: a readiness probe, the on_failure command.

#include <boost/asio/awaitable.hpp>

#include <string>
#include <vector>

#include "unit/process/child.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

// For `run` in the directory of the unit `spec`. `environment`: K=V, the unit's.
child_options hook_options(const unit_spec& spec, const run_spec& run, std::vector<std::string> environment);

// Runs the command to its end, then kills its process group, so that nothing it forked outlives it. Throws
// failure if it cannot be started.
boost::asio::awaitable<exit_state> run_hook_command(child_options options);

}  // namespace hob::unit
