#pragma once
// Pseudo-terminals: what a program takes for a terminal. What is written to the master is typed at it, and
// what the program shows there is read from the master.

#include "util/fd.hpp"

namespace hob::unit {

struct terminal_size {
    unsigned short rows = 24;
    unsigned short columns = 80;
    bool operator==(const terminal_size&) const = default;
};

struct pseudo_terminal {
    util::unique_fd master;
    util::unique_fd slave;  // for the program
};

// Throws failure(denied) that says what the machine has run out of.
pseudo_terminal open_pseudo_terminal(terminal_size size);

// Sets the size through either end. Programs on the terminal get SIGWINCH if it changes.
void set_terminal_size(int fd, terminal_size size);

}  // namespace hob::unit
