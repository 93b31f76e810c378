#include "lifecycle/application.hpp"

#include <array>

namespace hob::lifecycle {

std::string_view name_of(config_state state) {
    constexpr std::array<std::string_view, 3> names{"current", "changed", "broken"};
    return names[static_cast<std::size_t>(state)];
}

}  // namespace hob::lifecycle
