#pragma once
// The states of runs and of the lives of services (`stopped` is one of these only), as `hob runs --json` and
// `hob status --json` name them.

#include <cstdint>
#include <optional>
#include <string_view>

namespace hob::ipc {

enum class run_state : std::uint8_t { running, ok, failed, timeout, cancelled, lost, skipped, stopped };

std::string_view name_of(run_state state);
std::optional<run_state> run_state_named(std::string_view name);

// The run itself failed; it was not cancelled or skipped.
bool is_failure(run_state state);

}  // namespace hob::ipc
