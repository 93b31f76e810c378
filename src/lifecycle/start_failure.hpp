#pragma once
// <state>/<key>/last-words: why the last start failed, written before the lock is free, and what the
// crash-loop brake knows. One JSON object.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "error.hpp"
#include "lifecycle/instance.hpp"

namespace hob::lifecycle {

// Milliseconds of CLOCK_BOOTTIME: setting the clock neither makes nor ends a crash loop, and sleep counts.
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
    std::string config;                  // identity of the hob.toml it failed with
};

// nullopt: none, of another boot, or not readable as such.
std::optional<start_failure> read_start_failure(const instance& where);

// Called with the lock held. Failures to write are ignored: there is nowhere left to say so.
void write_start_failure(const instance& where, const failure& why);

// After a successful start, or to release the brake.
void clear_start_failure(const instance& where);

// The failure to report when the brake holds: three failed starts within 30 s of each other, the last one
// less than 30 s ago, and neither hob.toml nor the binary has changed since.
std::optional<failure> crash_loop(const instance& where);

}  // namespace hob::lifecycle
