#pragma once
// The names of the methods of the protocol.

#include <algorithm>
#include <array>
#include <string_view>

namespace hob::unit {

// Methods of the protocol begin with one of these. Any other name with a slash is a method of the server's
// own, or a tool.
inline constexpr std::array<std::string_view, 12> mcp_method_families{
    "tools/",  "resources/", "prompts/",  "completion/",  "logging/", "notifications/",
    "server/", "tasks/",     "sampling/", "elicitation/", "roots/",   "subscriptions/",
};

inline bool is_mcp_method(std::string_view method) {
    return method == "ping" || method == "initialize" ||
           std::any_of(mcp_method_families.begin(), mcp_method_families.end(),
                       [method](std::string_view family) { return method.starts_with(family); });
}

}  // namespace hob::unit
