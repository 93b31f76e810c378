#pragma once
// Commands in hob.toml, and what is executed for them.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

struct key_context;

// Whether a shell script uses its positional parameters: $1, "$@", ${2}, $#, getopts, shift, eval, or `for x`
// without `in`. What stands in single quotes or in a comment does not count.
bool uses_arguments(std::string_view script);

// True for plain words ([A-Za-z0-9_./=:,+@%-] with blanks between), of which the first has no `=` and is no
// builtin or keyword of a shell. /bin/sh may `exec` such a text, so that the unit's process is the program
// itself.
bool is_plain_command(std::string_view text);

// {"/bin/sh", "-c", SCRIPT, NAME}, where SCRIPT is `exec TEXT "$@"` for a plain command and TEXT otherwise.
// Arguments that are appended become further words of the command, or $1 and so on of the script. `text` must
// not be blank.
run_spec shell_command(std::string_view text, std::string_view name);

// Executed without a shell. `argv` must not be empty.
run_spec direct_command(std::vector<std::string> argv);

// Reads an array or a string as a command of the current unit. nullopt: wrong, and noted.
std::optional<run_spec> read_command(const key_context& at);

}  // namespace hob::unit
