#include "unit/task/run_output.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <utility>

#include "util/log/log_reader.hpp"
#include "util/log/log_reader_record.hpp"

namespace hob::unit {
namespace {

using piece = logged_output::piece;

// A clock that was set back must not hide the first lines.
constexpr std::chrono::minutes clock_change{1};

// Calls `take` with each piece of the run's output, the newest first, until it returns false.
void read_backward(const std::string& log_path, std::int64_t run,
                   const std::function<bool(const util::log_record& record, piece of)>& take) {
    auto files = util::open_log_files(log_path);
    const auto on_line = [&](std::string_view line) {
        util::log_record record = util::parse_log_record(line);
        const auto stream = record.run == run ? output_stream_named(record.stream) : std::nullopt;
        if (!stream) return take(record, {output_streams_of_run.size(), {}});
        piece found{*stream, std::move(record.message)};
        if (!record.partial && record.newline) found.bytes += '\n';
        return take(record, std::move(found));
    };
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
        if (!util::read_lines_backward(*file, file->size, on_line)) return;
    }
}

bool is_output(const piece& of) { return of.stream < output_streams_of_run.size(); }

bool is_of_its_time(const util::log_record& record, const run_record& run) {
    return !record.time || *record.time > run.started_at - clock_change;
}

// The pieces, newest first, end at `end`: what is of them from `from` on, oldest first.
logged_output since(std::vector<piece> pieces, const run_offsets& from, run_offsets end) {
    logged_output found;
    for (auto& each : pieces) {
        std::uint64_t& at = end[each.stream];
        const std::uint64_t wanted = from[each.stream];
        const std::uint64_t begin = at - std::min<std::uint64_t>(at, each.bytes.size());
        if (at > wanted) {
            if (begin < wanted) each.bytes.erase(0, each.bytes.size() - static_cast<std::size_t>(at - wanted));
            found.pieces.push_back(std::move(each));
        }
        at = begin;
    }
    std::reverse(found.pieces.begin(), found.pieces.end());
    for (std::size_t which = 0; which < end.size(); ++which)
        found.missing[which] = end[which] - std::min(end[which], from[which]);
    return found;
}

}  // namespace

std::optional<std::size_t> output_stream_named(std::string_view name) {
    const auto found = std::find(output_streams_of_run.begin(), output_streams_of_run.end(), name);
    if (found == output_streams_of_run.end()) return std::nullopt;
    return static_cast<std::size_t>(found - output_streams_of_run.begin());
}

logged_output read_run_output(const std::string& log_path, std::int64_t run, const run_offsets& from,
                              const run_offsets& to) {
    std::vector<piece> pieces;
    run_offsets at = to;
    const auto complete = [&] {
        return std::equal(at.begin(), at.end(), from.begin(),
                          [](std::uint64_t begin, std::uint64_t wanted) { return begin <= wanted; });
    };
    if (!complete()) {
        read_backward(log_path, run, [&](const util::log_record&, piece of) {
            if (!is_output(of)) return true;
            at[of.stream] -= std::min<std::uint64_t>(at[of.stream], of.bytes.size());
            pieces.push_back(std::move(of));
            return !complete();
        });
    }
    return since(std::move(pieces), from, to);
}

run_offsets logged_size(const std::string& log_path, const run_record& run) {
    run_offsets size{};
    read_backward(log_path, run.id, [&](const util::log_record& record, const piece& of) {
        if (is_output(of)) size[of.stream] += of.bytes.size();
        return is_of_its_time(record, run);
    });
    return size;
}

logged_output read_ended_output(const std::string& log_path, const run_record& run, const run_offsets& from) {
    // Not known of a run that was lost, or whose daemon died after it had read all.
    const auto total = static_cast<std::uint64_t>(run.output_bytes.value_or(0));
    std::vector<piece> pieces;
    run_offsets end{};
    std::uint64_t sum = 0;
    read_backward(log_path, run.id, [&](const util::log_record& record, piece of) {
        if (!is_output(of)) return is_of_its_time(record, run);
        sum += of.bytes.size();
        end[of.stream] += of.bytes.size();
        pieces.push_back(std::move(of));
        return total == 0 || sum < total;
    });
    // What was rotated away is the oldest: first of all what the client has already.
    std::uint64_t gone = total - std::min(total, sum);
    for (std::size_t which = 0; which < end.size(); ++which) {
        const std::uint64_t here = std::min(gone, from[which]);
        end[which] += here;
        gone -= here;
    }
    logged_output found = since(std::move(pieces), from, end);
    found.missing.front() += gone;
    return found;
}

}  // namespace hob::unit
