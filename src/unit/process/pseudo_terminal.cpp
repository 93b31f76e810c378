#include "unit/process/pseudo_terminal.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cerrno>
#include <string>

#include "error.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t count_text_max = 64;

std::string limit_text() {
    std::string text = util::read_file("/proc/sys/kernel/pty/max", count_text_max).value_or("");
    while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
        text.pop_back();
    return text.empty() ? text : " (" + text + ")";
}

// open("/dev/ptmx") fails with ENOSPC, or EIO in older kernels, when there are too many.
failure no_terminal(int error) {
    const cannot tried("make", {}, "a terminal");
    if (error == ENOSPC || error == EIO || error == EAGAIN)
        return {error_kind::denied, tried,
                "no pseudo-terminal is free: the limit is kernel.pty.max" + limit_text() +
                    ", or that of the mount at /dev/pts"};
    if (error == ENOENT || error == ENODEV || error == ENXIO)
        return {error_kind::denied, tried, "there is no /dev/ptmx; is devpts mounted at /dev/pts?"};
    return {error_kind::denied, tried, "/dev/ptmx: " + errno_text(error)};
}

}  // namespace

pseudo_terminal open_pseudo_terminal(terminal_size size) {
    pseudo_terminal made;
    made.master = util::open_file("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (!made.master) throw no_terminal(errno);
    const int master = made.master.get();
    if (::grantpt(master) != 0 || ::unlockpt(master) != 0) throw no_terminal(errno);
    made.slave.reset(::ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    if (!made.slave) throw no_terminal(errno);
    set_terminal_size(master, size);
    termios mode{};
    if (::tcgetattr(master, &mode) == 0) {
        mode.c_iflag |= static_cast<tcflag_t>(IUTF8);  // a backspace erases a whole character
        ::tcsetattr(master, TCSANOW, &mode);
    }
    return made;
}

void set_terminal_size(int fd, terminal_size size) {
    const winsize window{size.rows, size.columns, 0, 0};
    ::ioctl(fd, TIOCSWINSZ, &window);
}

}  // namespace hob::unit
