#pragma once
// The texts of the verb `help` and of --help, made from the table of commands.

#include <string>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"

namespace hob::cmd {

std::string overview_text(const terminal& out);                   // all verbs and the global options
std::string verb_text(const command& verb, const terminal& out);  // one verb
std::string overview_json();                                      // the array of all verbs
std::string verb_json(const command& verb);

// "-f, --follow", "-n, --lines N", "-C DIR"
std::string option_words(const option_row& row);

// The long name of an option, or the short one where there is no long one; without dashes.
std::string_view option_name(const option_row& row);

}  // namespace hob::cmd
