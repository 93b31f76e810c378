#pragma once
// The mode of the terminal on standard input, and its size.

#include <termios.h>

#include <optional>

#include "unit/process/pseudo_terminal.hpp"

namespace hob::cmd {

// Changes the mode until the end of its life.
class input_mode {
public:
    enum class kind {
        unchanged,
        keys,   // every key comes at once, and none has a meaning here
        lines,  // as usual, but `leave_key` comes at once
    };
    static constexpr char leave_key = 0x1d;  // Ctrl-]

    explicit input_mode(kind wanted);
    ~input_mode() { restore(); }
    input_mode(const input_mode&) = delete;
    input_mode& operator=(const input_mode&) = delete;

    void restore();
    void apply();  // again, as after the process was stopped and the shell has set its own mode

private:
    termios before_{};
    termios wanted_{};
    bool known_ = false;
};

// nullopt: standard input is no terminal, or its size is not known.
std::optional<unit::terminal_size> input_size();

}  // namespace hob::cmd
