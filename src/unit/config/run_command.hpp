#pragma once
// From what `run` says to what is executed.

#include <string>
#include <string_view>
#include <vector>

#include "unit/config/table_reader.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

// Whether a shell script uses its positional parameters: $1, "$@", ${2}, $#, getopts, shift, eval, or `for x`
// without `in`. What stands in single quotes or in a comment does not count.
bool uses_arguments(std::string_view script);

// True when /bin/sh may be told to `exec` the text, so that the pid is the program's: plain words
// ([A-Za-z0-9_./=:,+@%-], blanks between), the first without `=` and no builtin or keyword of sh.
bool is_plain_command(std::string_view text);

// {"/bin/sh", "-c", `exec TEXT "$@"` or TEXT, NAME}: ARGS appended to it are the words' further arguments, or
// $1 and on of the script. `text` must not be blank.
run_spec shell_command(std::string_view text, std::string_view name);

// Executed as it is. `argv` must not be empty.
run_spec direct_command(std::vector<std::string> argv);

// Reads `key` (an array or a string) as a command of the unit `name`. nullopt: absent, or wrong and noted.
std::optional<run_spec> read_command(table_reader& reader, std::string_view key, std::string_view name);

}  // namespace hob::unit
