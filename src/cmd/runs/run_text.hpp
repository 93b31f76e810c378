#pragma once
// What `hob runs` says of a run or of a life, in words.

#include <chrono>
#include <string>
#include <string_view>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"
#include "unit/spec/run_record.hpp"

namespace hob::cmd {

std::string_view color_of(unit::run_state state);  // ANSI

// "exit 3", "signal 9 (KILL)"; empty for exit status 0 and for a run that is not over.
std::string end_text(const unit::run_record& run);

// The state; of a life that goes on whether it is ready: "starting", "ready".
std::string_view life_state(const unit::run_record& run);

// Until now for one that goes on.
std::chrono::milliseconds length_of(const unit::run_record& run);

// One run in full, in lines, with the last lines of its output.
std::string run_in_full(invocation& call, const unit::run_record& run, const terminal& out);
// The same as a JSON object: the members of runs_json(), "environment" and "output".
std::string run_in_full_json(invocation& call, const unit::run_record& run);

}  // namespace hob::cmd
