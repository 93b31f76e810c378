#pragma once
// What a person sees while units are on their way: a line for each, redrawn as it happens.

#include <string>
#include <string_view>

#include "cmd/core/command.hpp"

namespace hob::cmd {

// One request of an acting verb, on a terminal. Returns the reply. A daemon that goes away before it has read
// the request is waited for and asked again.
std::string ask_and_show(invocation& call, std::string_view method, const std::string& params);

}  // namespace hob::cmd
