#pragma once
// The files of completions/, built into the binary by CMake.

#include <string_view>

namespace hob::cmd {

extern const std::string_view bash_completion;
extern const std::string_view fish_completion;
extern const std::string_view zsh_completion;

}  // namespace hob::cmd
