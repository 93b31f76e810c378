#pragma once
// Ctrl-] among the keys of a terminal.

#include <cstddef>
#include <string_view>

namespace hob::cmd {

// Where it begins; npos: it was not pressed. Programs can make a terminal report keys as escape sequences.
std::size_t find_leave_key(std::string_view keys);

}  // namespace hob::cmd
