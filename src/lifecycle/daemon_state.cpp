#include "lifecycle/daemon_state.hpp"

#include <array>
#include <cstddef>

namespace hob::lifecycle {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, 8> names{"running",  "starting", "draining", "wedged",
                                                "orphaned", "stopped",  "denied",   "foreign"};
static_assert(names.size() == static_cast<std::size_t>(daemon_state::foreign) + 1);

}  // namespace

std::string_view name_of(daemon_state state) { return names[static_cast<std::size_t>(state)]; }

std::optional<daemon_state> daemon_state_named(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<daemon_state>(i);
    }
    return std::nullopt;
}

}  // namespace hob::lifecycle
