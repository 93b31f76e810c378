#pragma once
// The output of `hob call NAME --list` for people.

#include <string>
#include <string_view>

#include "cmd/core/output.hpp"

namespace hob::cmd {

// `lists`: the result of `worker.list`, {"tools":[…],"resources":[…],…}.
std::string lists_text(std::string_view lists, const terminal& out);

}  // namespace hob::cmd
