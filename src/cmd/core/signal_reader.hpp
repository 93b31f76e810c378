#pragma once
// Signals as something to read, for loops with their own poll().

#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <initializer_list>

#include "error.hpp"
#include "util/fd.hpp"

namespace hob::cmd {

// Blocks these signals during its lifetime and reads them from a descriptor.
class signal_reader {
public:
    explicit signal_reader(std::initializer_list<int> numbers) {
        sigset_t handled;
        ::sigemptyset(&handled);
        for (const int number : numbers)
            ::sigaddset(&handled, number);
        ::sigprocmask(SIG_BLOCK, &handled, &before_);
        fd_.reset(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
        if (!fd_) throw denied("make", "a descriptor for signals", errno);
    }
    ~signal_reader() { restore(); }
    signal_reader(const signal_reader&) = delete;
    signal_reader& operator=(const signal_reader&) = delete;

    int fd() const { return fd_.get(); }
    int next() {  // 0: none
        signalfd_siginfo info{};
        return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
    }
    void restore() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }  // also in a child

private:
    sigset_t before_{};
    util::unique_fd fd_;
};

}  // namespace hob::cmd
