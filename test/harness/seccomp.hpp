#pragma once
// System calls that fail in the kernel, for run_options::in_child. The daemon inherits the filters.

#include <sys/types.h>

#include <chrono>
#include <initializer_list>
#include <optional>
#include <vector>

#include "util/fd.hpp"

namespace hob::test {

// From here on `call` (a __NR_ number) fails with `error_number`. In the child only.
void fail_syscall(int call, int error_number);

// From here on `call` kills the process that makes it (SIGSYS). In the child only.
void kill_on_syscall(int call);

// Stops every process at one of `calls` until released: a daemon that hangs at an exact point.
//   syscall_gate gate({__NR_listen});
//   options.in_child = [&] { gate.install(); };
//   auto ping = box.start({"ping"}, options);
//   const pid_t daemon = gate.arrival();      // blocked in listen(2)
//   gate.release();
class syscall_gate {
public:
    explicit syscall_gate(std::initializer_list<int> calls);
    void install();  // in the child only
    // The pid of the next process that arrives. Throws test_failure at the limit.
    pid_t arrival(std::chrono::milliseconds limit = std::chrono::seconds(10));
    void release();  // lets the process that arrived continue
    void open();     // all calls fail with ENOSYS from now on, including those that wait now

private:
    bool receive_listener(std::chrono::milliseconds limit);

    std::vector<int> calls_;
    util::unique_fd ours_;
    util::unique_fd theirs_;
    util::unique_fd listener_;
    std::optional<unsigned long long> arrived_;
};

}  // namespace hob::test
