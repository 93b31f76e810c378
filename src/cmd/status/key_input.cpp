#include "cmd/status/key_input.hpp"

#include <signal.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace hob::cmd {
namespace {

termios saved;

extern "C" void restore_and_end(int number) {
    ::tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    if (number == SIGINT) ::_exit(0);
    ::signal(number, SIG_DFL);
    ::raise(number);
}

void handle(int number, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    ::sigemptyset(&action.sa_mask);
    action.sa_flags = static_cast<int>(SA_NODEFER);  // so that raise() ends the process at once
    ::sigaction(number, &action, nullptr);
}

}  // namespace

key_input::key_input() {
    // A background job that changed the terminal would be stopped.
    const bool ours = ::isatty(STDIN_FILENO) == 1 && ::tcgetpgrp(STDIN_FILENO) == ::getpgrp();
    if (!ours || ::tcgetattr(STDIN_FILENO, &saved) != 0) return;
    for (const int number : {SIGINT, SIGTERM, SIGHUP})
        handle(number, restore_and_end);
    termios keys = saved;
    keys.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    active_ = ::tcsetattr(STDIN_FILENO, TCSANOW, &keys) == 0;
}

key_input::~key_input() { restore(); }

void key_input::restore() {
    if (!active_) return;
    active_ = false;
    ::tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

bool key_input::read_key(char& key) {
    const ssize_t n = ::read(STDIN_FILENO, &key, 1);
    if (n == 1 || (n < 0 && errno == EINTR)) return n == 1;
    restore();
    return false;
}

}  // namespace hob::cmd
