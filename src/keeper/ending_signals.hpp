#pragma once
// The signals that a keeper acts on.

#include <signal.h>

#include <algorithm>
#include <iterator>

namespace hob::keeper {

// Those that end a daemon in order: not those of a fault of the program, and not the two that cannot be
// blocked.
inline constexpr int ending_signals[] = {SIGTERM, SIGINT,    SIGHUP,  SIGQUIT, SIGUSR1, SIGUSR2,  SIGALRM,
                                         SIGPWR,  SIGVTALRM, SIGPROF, SIGIO,   SIGXCPU, SIGSTKFLT};

inline bool is_ending_signal(int number) {
    return std::find(std::begin(ending_signals), std::end(ending_signals), number) !=
           std::end(ending_signals);
}

inline sigset_t handled_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    ::sigaddset(&set, SIGCHLD);
    for (const int number : ending_signals)
        ::sigaddset(&set, number);
    return set;
}

}  // namespace hob::keeper
