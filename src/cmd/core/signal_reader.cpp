#include "cmd/core/signal_reader.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>

#include "error.hpp"

namespace hob::cmd {

signal_reader::signal_reader(std::initializer_list<int> numbers) {
    sigset_t handled;
    ::sigemptyset(&handled);
    for (const int number : numbers)
        ::sigaddset(&handled, number);
    ::sigprocmask(SIG_BLOCK, &handled, &before_);
    fd_.reset(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd_) throw denied("make", "a descriptor for signals", errno);
}

int signal_reader::next() {
    signalfd_siginfo info{};
    return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace hob::cmd
