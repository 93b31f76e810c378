#include "lifecycle/application.hpp"

#include <array>

namespace hob::lifecycle {
namespace {

// In the order of the enum.
constexpr std::array<std::string_view, 3> names{"current", "changed", "broken"};

}  // namespace

std::string_view name_of(config_state state) { return names[static_cast<std::size_t>(state)]; }

std::optional<config_state> config_state_named(std::string_view name) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == name) return static_cast<config_state>(i);
    }
    return std::nullopt;
}

}  // namespace hob::lifecycle
