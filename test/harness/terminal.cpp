#include "harness/terminal.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace hob::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> result;
    for (auto& text : texts)
        result.push_back(text.data());
    result.push_back(nullptr);
    return result;
}

}  // namespace

terminal_program::terminal_program(sandbox& box, const std::vector<std::string>& words, unsigned short rows,
                                   unsigned short columns) {
    master_ = util::open_file("/dev/ptmx", O_RDWR | O_NOCTTY);
    if (!master_ || ::grantpt(master_.get()) != 0 || ::unlockpt(master_.get()) != 0)
        throw test_failure("no terminal can be made");
    slave_.reset(::ioctl(master_.get(), TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
    resize(rows, columns);
    ::tcgetattr(slave_.get(), &before_);
    std::vector<std::string> arguments{box.binary()};
    arguments.insert(arguments.end(), words.begin(), words.end());
    std::vector<std::string> environment = box.environment();
    std::erase_if(environment, [](const std::string& entry) { return entry.starts_with("TERM="); });
    environment.emplace_back("TERM=xterm-256color");
    const auto argv = pointers(arguments);
    const auto envp = pointers(environment);
    const std::string directory = box.project();
    pid_ = ::fork();
    if (pid_ < 0) throw test_failure("cannot fork");
    if (pid_ > 0) return;
    ::setsid();
    ::ioctl(slave_.get(), TIOCSCTTY, 0);
    for (int fd = 0; fd < 3; ++fd)
        ::dup2(slave_.get(), fd);
    if (::chdir(directory.c_str()) == 0) ::execve(argv.front(), argv.data(), envp.data());
    ::_exit(127);
}

terminal_program::~terminal_program() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void terminal_program::read_for(milliseconds limit) {
    pollfd readable{master_.get(), POLLIN, 0};
    if (!master_ || ::poll(&readable, 1, static_cast<int>(limit.count())) <= 0) return;
    char bytes[4096];
    const ssize_t n = ::read(master_.get(), bytes, sizeof bytes);
    if (n > 0) shown_.append(bytes, static_cast<std::size_t>(n));
}

std::string terminal_program::until(std::string_view text, milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto at = shown_.find(text);
        if (at != std::string::npos) {
            std::string seen = shown_.substr(0, at + text.size());
            shown_.erase(0, at + text.size());
            return seen;
        }
        if (std::chrono::steady_clock::now() >= end)
            throw test_failure("'" + std::string(text) + "' does not come: " + shown_);
        read_for(20ms);
    }
}

void terminal_program::type(std::string_view keys) { util::write_all(master_.get(), keys); }

void terminal_program::resize(unsigned short rows, unsigned short columns) {
    const winsize window{rows, columns, 0, 0};
    ::ioctl(master_.get(), TIOCSWINSZ, &window);
}

void terminal_program::signal(int number) { ::kill(pid_, number); }

void terminal_program::close() {
    slave_.reset();
    master_.reset();
}

int terminal_program::wait(milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (pid_ != 0) {
        int status = 0;
        if (::waitpid(pid_, &status, WNOHANG) == pid_) {
            pid_ = 0;
            status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        } else if (std::chrono::steady_clock::now() >= end) {
            throw test_failure("it does not end: " + shown_);
        }
        read_for(10ms);
    }
    return status_;
}

bool terminal_program::restored() const {
    termios now{};
    return ::tcgetattr(slave_.get(), &now) == 0 && now.c_iflag == before_.c_iflag &&
           now.c_oflag == before_.c_oflag && now.c_lflag == before_.c_lflag &&
           std::memcmp(now.c_cc, before_.c_cc, sizeof now.c_cc) == 0;
}

void terminal_program::restore() const { ::tcsetattr(slave_.get(), TCSANOW, &before_); }

}  // namespace hob::test
