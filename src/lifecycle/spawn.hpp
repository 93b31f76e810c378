#pragma once
// The client's half of a start: the lock handed over, and the outcome told over one inherited descriptor.

#include <functional>
#include <string_view>

#include "error.hpp"
#include "lifecycle/instance.hpp"
#include "lifecycle/pid_lock.hpp"
#include "util/deadline.hpp"

namespace hob::lifecycle {

// The hidden options of `hob daemon` by which a spawned daemon knows what it was given.
inline constexpr const char* handover_option = "--handover=";  // LOCK,OUTCOME: descriptor numbers
inline constexpr const char* key_option = "--key=";
inline constexpr const char* root_option = "--root=";

// Executes this very binary as the daemon of `where` and waits until it is ready. False: it has ended, and
// served nobody, because the pid file was removed meanwhile (taken_away). Throws failure: its own reason when
// it says one, start_failed when it dies without (last-words are then written before the lock is free),
// timeout when `limit` is over (it goes on starting).
bool spawn_daemon(const instance& where, instance_lock lock, util::deadline limit,
                  const std::function<void(std::string_view)>& tell);

// The daemon's half: what goes through the outcome descriptor.
void report_ready(int outcome_fd);
void report_taken_away(int outcome_fd);
void report_failure(int outcome_fd, const failure& why);

}  // namespace hob::lifecycle
