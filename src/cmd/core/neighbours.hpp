#pragma once
// Words that other programs use for what a verb does.

#include <string>
#include <string_view>

namespace hob::cmd {

// The command to type instead of `word`, without the program's name, such as "status" for "ps"; empty: not
// known.
std::string_view command_for_foreign_word(std::string_view word);

}  // namespace hob::cmd
