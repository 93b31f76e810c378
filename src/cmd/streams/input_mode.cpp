#include "cmd/streams/input_mode.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

namespace hob::cmd {

input_mode::input_mode(kind wanted) {
    if (wanted == kind::unchanged || ::tcgetattr(STDIN_FILENO, &before_) != 0) return;
    known_ = true;
    wanted_ = before_;
    if (wanted == kind::keys) {
        ::cfmakeraw(&wanted_);
    } else {
        wanted_.c_lflag |= static_cast<tcflag_t>(ICANON | ISIG);
        wanted_.c_cc[VEOL] = static_cast<cc_t>(leave_key);
    }
    apply();
}

void input_mode::apply() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSANOW, &wanted_);
}

void input_mode::restore() {
    if (known_) ::tcsetattr(STDIN_FILENO, TCSANOW, &before_);
}

std::optional<unit::terminal_size> input_size() {
    winsize window{};
    if (::ioctl(STDIN_FILENO, TIOCGWINSZ, &window) != 0 || window.ws_row == 0 || window.ws_col == 0)
        return std::nullopt;
    return unit::terminal_size{window.ws_row, window.ws_col};
}

}  // namespace hob::cmd
