#pragma once
// Options whose value is a time.

#include <chrono>
#include <optional>
#include <string_view>

#include "cmd/core/command.hpp"

namespace hob::cmd {

// The value of --NAME, such as 10m (ago) or 13:02; nullopt: it is not given. Throws failure(usage).
std::optional<std::chrono::system_clock::time_point> time_option(const invocation& call,
                                                                 std::string_view name);

}  // namespace hob::cmd
