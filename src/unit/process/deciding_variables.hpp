#pragma once
// Variables that decide what is executed, whatever command is typed.

#include <string_view>

namespace hob::unit {

// Such as PATH, LD_PRELOAD, BASH_ENV, NODE_OPTIONS, GIT_SSH_COMMAND: with it, a command runs code that the
// variable names. The names are those that sudo(8) and the dynamic loader distrust, and those of interpreters
// and tools that take code or a program from a variable.
bool decides_what_is_executed(std::string_view name);

}  // namespace hob::unit
