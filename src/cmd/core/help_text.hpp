#pragma once
// The texts of the verb `help` and of --help, made from the table of commands.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/command.hpp"
#include "cmd/core/output.hpp"

namespace hob::cmd {

std::string overview_text(const terminal& out);                   // all verbs and the global options
std::string verb_text(const command& verb, const terminal& out);  // one verb
std::string overview_json();                                      // the array of all verbs
std::string verb_json(const command& verb);

// Two columns; the right one is wrapped, and stands below the left one where the terminal is narrow.
struct help_line {
    std::string left;
    std::string right;
};
std::string help_columns(const std::vector<help_line>& lines, const terminal& out);

// `text` with line breaks for a terminal of so many columns; lines after the first begin with `indent`
// blanks.
std::string wrapped(std::string_view text, std::size_t indent, int columns);

// "-f, --follow", "-n, --lines N", "-C DIR"
std::string option_words(const option_row& row);

// The long name of an option, or the short one where there is no long one; without dashes.
std::string_view option_name(const option_row& row);

}  // namespace hob::cmd
