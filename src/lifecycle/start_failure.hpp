#pragma once
// The file <state>/<key>/last-words, a JSON object: why the last start failed, and the earlier failures that
// the crash-loop brake counts. Written before the lock is released.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "lifecycle/instance.hpp"

namespace hob::lifecycle {

// Milliseconds of CLOCK_BOOTTIME: not affected by setting the clock, and counts while the machine sleeps.
std::int64_t boot_milliseconds();

struct start_failure {
    std::string time;     // RFC 3339, for people
    std::int64_t at = 0;  // boot_milliseconds()
    std::string boot_id;  // of the boot that `at` counts from
    error_kind kind = error_kind::internal;
    std::string message;
    std::string hint;
    std::vector<std::int64_t> failures;  // the latest ones that count for the brake, oldest first
    std::string binary;                  // identity of the binary that failed
    std::string config;                  // identity of the configuration file it failed with
};

// nullopt: there is none, it is of another boot, or it cannot be read.
std::optional<start_failure> read_start_failure(const instance& where);

// Called with the lock held. A failure to write is ignored: it cannot be reported anywhere. Writes nothing
// for instance_elsewhere, which says that another daemon uses the state directory.
void write_start_failure(const instance& where, const failure& why);

// As if as many starts had failed as make a crash loop: the keeper waits before it starts the next daemon.
void write_crash_loop(const instance& where, const failure& why);

// After a successful start, or to release the brake.
void clear_start_failure(const instance& where);

// The failure to report instead of a further start: limits::crash_loop_count failed starts, each within
// limits::crash_loop_window of the one before, the last one as recently, and neither the configuration file
// nor the binary has changed since.
std::optional<failure> crash_loop(const instance& where);

}  // namespace hob::lifecycle
