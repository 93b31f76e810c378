#include "ipc/run_state.hpp"

#include <array>

namespace hob::ipc {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, 8> names{"running",   "ok",   "failed",  "timeout",
                                                "cancelled", "lost", "skipped", "stopped"};
static_assert(names.size() == static_cast<std::size_t>(run_state::stopped) + 1);

}  // namespace

std::string_view name_of(run_state state) { return names[static_cast<std::size_t>(state)]; }

std::optional<run_state> run_state_named(std::string_view name) {
    for (std::size_t at = 0; at < names.size(); ++at) {
        if (names[at] == name) return static_cast<run_state>(at);
    }
    return std::nullopt;
}

bool is_failure(run_state state) {
    return state == run_state::failed || state == run_state::timeout || state == run_state::lost;
}

}  // namespace hob::ipc
