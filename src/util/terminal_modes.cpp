#include "util/terminal_modes.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace hob::util {
namespace {

constexpr std::size_t parameters_max = 64;
constexpr int cursor_mode = 25;
constexpr std::string_view cancel = "\x18", end_of_string = "\x1b\\";

// The screens last: what is undone before belongs to the screen that is left.
constexpr std::array followed_modes{1,    9,    1000, 1001, 1002, 1003, 1004, 1005,
                                    1006, 1015, 1016, 2004, 47,   1047, 1049};
constexpr std::array screens{47, 1047, 1049};

template <typename Each>
void for_each_number(std::string_view list, const Each& each) {
    while (!list.empty()) {
        int number = 0;
        std::from_chars(list.data(), list.data() + list.size(), number);
        each(number);
        const auto next = list.find(';');
        if (next == std::string_view::npos) return;
        list.remove_prefix(next + 1);
    }
}

std::string private_mode(int number, bool on) { return "\x1b[?" + std::to_string(number) + (on ? "h" : "l"); }

bool is_screen(int mode) { return std::find(screens.begin(), screens.end(), mode) != screens.end(); }

}  // namespace

bool terminal_modes::alternate_screen() const { return std::any_of(on_.begin(), on_.end(), is_screen); }

void terminal_modes::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        if (at_ == reading::text) {
            const auto escape = bytes.find('\x1b');
            if (escape == std::string_view::npos) return;
            bytes.remove_prefix(escape + 1);
            at_ = reading::escape;
            continue;
        }
        const char c = bytes.front();
        bytes.remove_prefix(1);
        if (at_ == reading::escape) {
            begin_escape(c);
        } else if (at_ == reading::string) {
            if (c == '\a') at_ = reading::text;
            if (c == '\x1b') at_ = reading::string_escape;
        } else if (at_ == reading::string_escape) {
            at_ = c == '\\' ? reading::text : reading::string;
        } else if (c == '\x1b') {
            at_ = reading::escape;
        } else if (c >= 0x40 && c <= 0x7e) {
            at_ = reading::text;
            end_sequence(c);
        } else if (c >= 0x20 && parameters_.size() < parameters_max) {
            parameters_ += c;
        }
    }
}

void terminal_modes::begin_escape(char kind) {
    at_ = reading::text;
    if (kind == '[') {
        parameters_.clear();
        at_ = reading::sequence;
    } else if (std::string_view("]PX^_").find(kind) != std::string_view::npos) {
        at_ = reading::string;
    } else if (kind == '\x1b') {
        at_ = reading::escape;
    } else if (kind == '=' || kind == '>') {
        keypad_ = kind == '=';
    } else if (kind == 'c') {
        *this = terminal_modes();  // a full reset
    }
}

void terminal_modes::end_sequence(char final) {
    const std::string_view all = parameters_;
    if ((final == 'h' || final == 'l') && all.starts_with('?')) {
        set_private_modes(final == 'h');
    } else if (final == 'u' && !all.empty()) {
        set_keyboard(all.front());
    } else if (final == 'm' && all.starts_with(">4")) {
        other_keys_ = all.starts_with(">4;") && all != ">4;0";
    } else if (final == 'm' && (all.empty() || (all.front() >= '0' && all.front() <= '9'))) {
        styled_ = !all.empty() && all != "0";
    } else if (final == 'r' && (all.empty() || all.front() != '?')) {
        scroll_region_ = !all.empty();
    } else if (final == 'p' && all == "!") {
        on_.erase(1);
        cursor_hidden_ = keypad_ = scroll_region_ = styled_ = false;
    }
}

void terminal_modes::set_private_modes(bool on) {
    for_each_number(std::string_view(parameters_).substr(1), [this, on](int number) {
        if (number == cursor_mode) {
            cursor_hidden_ = !on;
        } else if (!on) {
            on_.erase(number);
        } else if (std::find(followed_modes.begin(), followed_modes.end(), number) != followed_modes.end()) {
            on_.insert(number);
        }
    });
}

void terminal_modes::set_keyboard(char introducer) {
    const std::string rest = parameters_.substr(1);
    if (introducer == '>') {
        ++keyboard_levels_;
        keyboard_flags_ = rest;
    } else if (introducer == '<') {
        int levels = 1;
        std::from_chars(rest.data(), rest.data() + rest.size(), levels);
        keyboard_levels_ = std::max(0, keyboard_levels_ - std::max(levels, 1));
    }
}

std::string terminal_modes::enter_text() const {
    std::string text;
    for (auto mode = followed_modes.rbegin(); mode != followed_modes.rend(); ++mode) {
        if (on_.contains(*mode)) text += private_mode(*mode, true);
    }
    if (keypad_) text += "\x1b=";
    if (cursor_hidden_) text += private_mode(cursor_mode, false);
    if (keyboard_levels_ > 0) text += "\x1b[>" + keyboard_flags_ + "u";
    if (other_keys_) text += "\x1b[>4;1m";
    return text;
}

std::string terminal_modes::leave_text() const {
    std::string text;
    if (at_ == reading::escape || at_ == reading::sequence) text = cancel;
    if (at_ == reading::string || at_ == reading::string_escape) text = end_of_string;
    if (keyboard_levels_ > 0) text += "\x1b[<" + std::to_string(keyboard_levels_) + "u";
    if (other_keys_) text += "\x1b[>4;0m";
    if (styled_) text += "\x1b[0m";
    if (scroll_region_) text += "\x1b\x37\x1b[r\x1b\x38";  // the cursor is saved: a reset moves it
    if (keypad_) text += "\x1b>";
    for (const int mode : followed_modes) {
        if (on_.contains(mode)) text += private_mode(mode, false);
    }
    if (cursor_hidden_) text += private_mode(cursor_mode, true);
    return text;
}

}  // namespace hob::util
