#pragma once
// Durations and sizes as people write them: always with a unit.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

// "250ms" "5s" "10m" "2h" "1d", compound from large to small "1m30s", a decimal fraction where it is whole
// milliseconds "1.5s", and a bare "0". nullopt for anything else and for more than 36500 days, so that a
// result can be added to any clock without overflow.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

// "512B" "64KiB" "10MiB" "1GiB" "1TiB" (1024), "64KB" "10MB" "1GB" "1TB" (1000). nullopt for anything else.
std::optional<std::uint64_t> parse_size(std::string_view text);

// For people, cut off at two units, never rounded up: "850ms" "3.2s" "4m12s" "2h5m" "3d4h". parse_duration
// reads it. A negative duration has a leading "-".
std::string format_duration(std::chrono::milliseconds duration);

// For people, exact where it is a whole number of units: "512B" "10MiB" "1.5GiB".
std::string format_size(std::uint64_t bytes);

}  // namespace hob::util
