#pragma once
// How a client starts a daemon: it hands over the lock, and the daemon reports the outcome over an inherited
// descriptor.

#include <sys/resource.h>

#include <functional>
#include <string_view>

#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/pid_lock.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

// The hidden options of the verb `daemon` that describe what a spawned daemon was given.
inline constexpr const char* handover_option = "--handover=";  // LOCK,OUTCOME: descriptor numbers
inline constexpr const char* key_option = "--key=";
inline constexpr const char* root_option = "--root=";

// Executes this binary as the daemon of `where` and waits until it is ready. False: it has ended and served
// nobody, because the pid file was removed meanwhile. Throws failure: the one that the daemon reports;
// start_failed if it dies without a report (written to `last-words` before the lock is released); timeout at
// `limit` (it continues to start).
bool spawn_daemon(const instance& where, instance_lock lock, util::deadline limit,
                  const std::function<void(std::string_view)>& on_wait);

// Starts the next daemon with a copy of this one's lock and this limit of descriptors, and does not wait for
// it. False, and errno: it could not be executed.
bool start_next_daemon(const instance& where, const instance_lock& lock, const rlimit& nofile);

// start_failed: there is no /proc, which the daemon needs and the client executes it through.
failure without_proc(cannot tried);

// The daemon's half: writes to the outcome descriptor.
void report_ready(int outcome_fd);
void report_pid_file_lost(int outcome_fd);
void report_failure(int outcome_fd, const failure& why);

}  // namespace hob::lifecycle
