#pragma once
// Runs as pictures: durations over time in the terminal, and a page for a browser.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/output.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

// One column a run, the newest on the right, as many as fit; `runs`: newest first. Empty without finished
// runs.
std::string plot_runs(const std::vector<unit::run_record>& runs, const terminal& out);

// A page that needs nothing but itself. `runs_json`: as of `hob runs --json`; `status_json`: as of `hob
// status
// --json`, or "null".
std::string runs_page(std::string_view runs_json, std::string_view status_json);

// The colour of a state on a terminal, ANSI.
std::string_view code_of_run(std::string_view state);

}  // namespace hob::cmd
