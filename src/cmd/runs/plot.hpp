#pragma once
// Runs as a plot of durations in the terminal.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/output.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

// One column for each run, the newest on the right, as many as fit. `runs`: newest first. Empty without
// finished runs.
std::string plot_runs(const std::vector<unit::run_record>& runs, const terminal& out);

// The ANSI colour of a state.
std::string_view color_of(unit::run_state state);

}  // namespace hob::cmd
