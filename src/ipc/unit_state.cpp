#include "ipc/unit_state.hpp"

#include <array>

namespace hob::ipc {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, 14> names{"stopped",   "waiting", "starting", "ready", "stopping",
                                                 "backoff",   "failed",  "cold",     "warm",  "idle",
                                                 "scheduled", "queued",  "running",  "held"};
static_assert(names.size() == static_cast<std::size_t>(unit_state::held) + 1);

}  // namespace

std::string_view name_of(unit_state state) { return names[static_cast<std::size_t>(state)]; }

std::optional<unit_state> unit_state_named(std::string_view name) {
    for (std::size_t at = 0; at < names.size(); ++at) {
        if (names[at] == name) return static_cast<unit_state>(at);
    }
    return std::nullopt;
}

bool is_up(unit_state state) {
    return state == unit_state::ready || state == unit_state::warm || state == unit_state::running;
}

bool is_settled(unit_state state) {
    switch (state) {
        case unit_state::ready:
        case unit_state::warm:
        case unit_state::failed:
        case unit_state::backoff:
        case unit_state::stopped:
        case unit_state::cold:
        case unit_state::idle:
        case unit_state::scheduled:
        case unit_state::held:
            return true;
        default:
            return false;
    }
}

}  // namespace hob::ipc
