#pragma once
// Runs as a plot of durations in the terminal.

#include <string>
#include <vector>

#include "cmd/core/output.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

// One column for each run, the newest on the right, as many as fit. `runs`: newest first. Empty without
// finished runs.
std::string plot_runs(const std::vector<unit::run_record>& runs, const terminal& out);

}  // namespace hob::cmd
