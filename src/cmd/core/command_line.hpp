#pragma once
// From argv to a verb and its parsed options, by Boost.Program_options.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"

namespace hob::cmd {

struct command_line {
    std::string verb;                 // empty: none was given
    std::vector<std::string> before;  // all words before "--", without the verb
    std::vector<std::string> after;   // all words after it
    bool dashes = false;              // "--" was there
};

// Splits at the first "--" and finds the verb: the first word that is no option and no option's value. With
// `verb_given` (the program's own name) every word is an argument.
command_line split_command_line(const std::vector<std::string>& words, std::string_view verb_given);

struct parsed_line {
    invocation call;
    color_mode color = color_mode::automatic;
    bool help = false;
    bool version = false;
    std::optional<std::string> install;  // --install DIR
};

// `verb` may be null: only the global options are then known. Throws failure(usage).
parsed_line parse_command_line(const command_line& line, const command* verb);

}  // namespace hob::cmd
