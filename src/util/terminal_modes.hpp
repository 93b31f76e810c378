#pragma once
// The modes that a program has switched on in its terminal, such as the alternate screen or reports of the
// mouse. A terminal that shows the program later needs them, and one that leaves it must be rid of them.

#include <set>
#include <string>
#include <string_view>

namespace hob::util {

class terminal_modes {
public:
    // What the program writes. It may be cut anywhere, also within an escape sequence.
    void feed(std::string_view bytes);

    bool alternate_screen() const;

    // Brings a terminal that is as usual into these modes. Empty: they are the usual ones.
    std::string enter_text() const;
    // The way back. Empty likewise.
    std::string leave_text() const;

private:
    enum class reading { text, escape, sequence, string, string_escape };

    void begin_escape(char kind);
    void end_sequence(char final);
    void set_private_modes(bool on);
    void set_keyboard(char introducer);

    reading at_ = reading::text;
    std::string parameters_;  // of the sequence that is being read
    std::set<int> on_;        // DEC private modes
    bool cursor_hidden_ = false;
    bool keypad_ = false;
    bool scroll_region_ = false;
    bool styled_ = false;
    int keyboard_levels_ = 0;     // of the keyboard protocol that CSI > FLAGS u switches on
    std::string keyboard_flags_;  // of the last level
    bool other_keys_ = false;     // CSI > 4 ; N m
};

}  // namespace hob::util
