#pragma once
// The keeper: the parent of a daemon and of the processes of its units. It holds what must survive the
// daemon's death (see message.hpp), and starts the next one. It has one thread, reads no file, and knows
// nothing of units.

#include <signal.h>
#include <sys/types.h>

#include <chrono>
#include <functional>

#include "keeper/holdings.hpp"
#include "util/fd.hpp"

namespace hob::keeper {

// Without a daemon the keeper starts one at once when it gets this signal.
inline constexpr int try_again_signal = SIGUSR1;

struct keeper_options {
    pid_t daemon = 0;
    util::unique_fd socket;
    // Starts the next daemon, which inherits `socket`; -1: there is no process. `attempt`: how many have
    // failed in a row.
    std::function<pid_t(int socket, const daemon_program& program, int attempt)> start_daemon;
    const char* program_key = "";
    // Daemons that crash within `short_life` of their start, this many in a row, are a crash loop: the next
    // one is started after `pause`. What is held as `listening_key` is dropped then.
    int crash_count = 3;
    std::chrono::milliseconds short_life{};
    std::chrono::milliseconds pause{};
    // A crash loop has begun; `status`: of the last daemon, as wait(2) has it.
    std::function<void(int status)> on_crash_loop;
    const char* listening_key = "";
    std::chrono::milliseconds
        kill_after{};  // when a signal ends the keeper in a crash loop: SIGTERM to all, SIGKILL
};

// Returns how the last daemon ended, as wait(2) has it, when that end was announced, or came before it had
// served.
int run(keeper_options options);

// Ends this process as `status` says: with the exit status, or by the signal, without a core file.
[[noreturn]] void end_like(int status);

}  // namespace hob::keeper
