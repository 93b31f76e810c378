#pragma once
// Signals as something to read, for clients that wait in poll(2).

#include <signal.h>

#include <initializer_list>

#include "util/fd.hpp"

namespace hob::cmd {

// Blocks the signals for its lifetime.
class signal_reader {
public:
    explicit signal_reader(std::initializer_list<int> numbers);
    ~signal_reader() { restore(); }
    signal_reader(const signal_reader&) = delete;
    signal_reader& operator=(const signal_reader&) = delete;

    int fd() const { return fd_.get(); }
    int next();  // 0: none
    // As they were before; also for a child.
    void restore() const { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }

private:
    sigset_t before_{};
    util::unique_fd fd_;
};

}  // namespace hob::cmd
