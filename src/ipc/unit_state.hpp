#pragma once
// The states of units, as `hob status --json` and the events name them. Decisions use the enum; the names are
// made where they are shown or sent.

#include <cstdint>
#include <optional>
#include <string_view>

namespace hob::ipc {

enum class unit_state : std::uint8_t {
    // services
    stopped,
    waiting,   // for a unit in `after`
    starting,  // also workers
    ready,
    stopping,  // also workers
    backoff,
    failed,  // also workers
    // workers
    cold,
    warm,
    // tasks
    idle,
    scheduled,
    queued,
    running,
    held,  // stopped by the user: no trigger starts it
};

std::string_view name_of(unit_state state);
std::optional<unit_state> unit_state_named(std::string_view name);

// A process of the unit does what the unit is for: ready, warm, running.
bool is_up(unit_state state);
// Nothing is about to change it: up, or at rest, or failed or waiting for its next attempt.
bool is_settled(unit_state state);

}  // namespace hob::ipc
