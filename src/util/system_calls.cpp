#include "util/system_calls.hpp"

#include <linux/close_range.h>
#include <linux/sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "util/distant_file.hpp"
#include "util/fd.hpp"

namespace hob::util {
namespace {

// Each probe makes the call in a way that has no effect. No failure, or one that comes from the arguments,
// means that the call is there.
bool refused(long result) { return result < 0 && is_refusal(errno); }

// The kernel reads no arguments of this size, and says so: E2BIG.
bool clone3_refused() {
    constexpr unsigned long size = 1ul << 20;
    clone_args arguments{};
    return refused(::syscall(SYS_clone3, &arguments, size));
}

bool openat2_refused() { return open_on_one_mount(-1, "x", 0) < 0 && is_refusal(errno); }

bool pidfd_open_refused() {
    const unique_fd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    return !self && is_refusal(errno);
}

constexpr replaced_call calls[] = {
    {"accept4", "three calls more for each client",
     [] { return refused(::accept4(-1, nullptr, nullptr, 0)); }},
    {"clone3", "a start takes 10 ms longer, and the daemon waits for the disk", clone3_refused},
    {"close_range", "descriptors are closed one by one", [] { return refused(::close_range(~0u, ~0u, 0)); }},
    {"close_range with CLOSE_RANGE_CLOEXEC", "descriptors are marked one by one at each start of a unit",
     [] { return refused(::close_range(~0u, ~0u, CLOSE_RANGE_CLOEXEC)); }},
    {"fdatasync", "fsync writes more", [] { return refused(::syscall(SYS_fdatasync, -1)); }},
    {"memfd_create", "what a killed daemon had read and not yet logged is lost",
     [] { return refused(::syscall(SYS_memfd_create, nullptr, 0)); }},
    {"openat2", "an env_file is read by a process of its own", openat2_refused},
    {"pidfd_open", "processes are told apart by pid and start time", pidfd_open_refused},
    // Signal 0 to a descriptor that is none.
    {"pidfd_send_signal", "signals are sent by pid, after a comparison of the start time",
     [] { return refused(::syscall(SYS_pidfd_send_signal, -1, 0, nullptr, 0)); }},
    {"splice", "output is read as that of a terminal is",
     [] { return refused(::syscall(SYS_splice, -1, nullptr, -1, nullptr, 1, 0)); }},
};

}  // namespace

std::span<const replaced_call> replaced_calls() { return calls; }

bool is_refusal(int error) { return error == ENOSYS || error == EPERM || error == EACCES || error == EINVAL; }

}  // namespace hob::util
