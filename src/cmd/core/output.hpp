#pragma once
// Output of the client. Standard output is buffered here and flushed at the end. A reader that went away is
// no error.

#include <string>
#include <string_view>

#include "error.hpp"

namespace hob::cmd {

enum class color_mode { automatic, always, never };

struct terminal {
    bool interactive = false;  // a terminal
    bool drawable = false;     // a terminal that is not dumb: the cursor can be moved
    bool color = false;        // --color, NO_COLOR and TERM=dumb considered
    bool utf8 = false;  // the locale's character set, from LC_ALL, LC_CTYPE, LANG: no setlocale involved
    int columns = 80;   // of the terminal, else COLUMNS, else 80
};

void set_color_mode(color_mode mode);
color_mode chosen_color_mode();  // automatic without --color
terminal out_terminal();         // of standard output
terminal err_terminal();         // of standard error

// Appends to standard output's buffer. False once the reader is gone: a stream may then end. On a terminal
// control characters beyond ASCII and bidirectional controls are escaped; text of units needs printable() for
// the others.
bool print(std::string_view text);
// Writes the buffer. False once the reader is gone. Throws failure(internal) on other errors, such as ENOSPC.
bool flush();
// True if a write has failed because the reader is gone, or the pipe has no reader now.
bool reader_gone();

// To standard error, not buffered. Errors are ignored. Escapes as print() does.
void print_error(std::string_view text);

// `PROGRAM: <message>` and `hint: …`, or the JSON object, on standard error.
void print_failure(const failure& reason, bool json);

// ANSI: text in `code` ("1;31") when `color`.
std::string paint(std::string_view text, std::string_view code, bool color);

}  // namespace hob::cmd
