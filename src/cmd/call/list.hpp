#pragma once
// `hob call NAME --list`, for people.

#include <string>
#include <string_view>

#include "cmd/core/output.hpp"

namespace hob::cmd {

// `lists`: {"tools":[…],"resources":[…],…} as `worker.list` answers it.
std::string lists_text(std::string_view lists, const terminal& out);

}  // namespace hob::cmd
