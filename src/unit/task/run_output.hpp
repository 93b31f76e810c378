#pragma once
// What the log has of the output of a run, by its place in the streams of the run.

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/spec/run_record.hpp"

namespace hob::unit {

inline constexpr std::array<std::string_view, 2> output_streams_of_run{"stdout", "stderr"};
std::optional<std::size_t> output_stream_named(std::string_view name);

// Bytes since the beginning of each of them.
using run_offsets = std::array<std::uint64_t, output_streams_of_run.size()>;

struct logged_output {
    struct piece {
        std::size_t stream = 0;
        std::string bytes;
    };
    std::vector<piece> pieces{};  // in the order in which they were written
    run_offsets missing{};        // bytes that the log does not have, before what it has
};

// From `from` up to `to`, where the records of the run end. Reads no more of the log than that. Throws
// failure(denied).
logged_output read_run_output(const std::string& log_path, std::int64_t run, const run_offsets& from,
                              const run_offsets& to);

// Of all that the log has of it.
run_offsets logged_size(const std::string& log_path, const run_record& run);

// The same of a run that has ended, up to its end.
logged_output read_ended_output(const std::string& log_path, const run_record& run, const run_offsets& from);

}  // namespace hob::unit
