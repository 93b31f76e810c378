#include "cmd/runs/page_output.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <string_view>

#include "cmd/core/table.hpp"
#include "util/escape_sequences.hpp"
#include "util/log/log_reader.hpp"
#include "util/log/log_reader_record.hpp"

namespace hob::cmd {
namespace {

// The newest lines of one run, filled in backward.
struct tail {
    std::vector<std::string> lines;  // newest first
    std::size_t bytes = 0;

    bool full(const output_limits& limits) const {
        return lines.size() >= limits.lines || bytes >= limits.bytes;
    }
    std::string text() const {
        std::string joined;
        for (auto line = lines.rbegin(); line != lines.rend(); ++line)
            joined += *line + "\n";
        return joined;
    }
};

// Calls `tail_of` for each line of the unit, newest first; it says to which tail the line belongs, if any.
// `total`: what all tails may still take.
void read_tails(const lifecycle::instance& where, const std::string& unit, const output_limits& limits,
                std::size_t& total, const std::function<tail*(const util::log_record&)>& tail_of) {
    const auto take = [&](std::string_view line) {
        const util::log_record record = util::parse_log_record(line);
        if (record.stream != "stdout" && record.stream != "stderr") return true;
        tail* const into = tail_of(record);
        if (!into || into->full(limits)) return true;
        std::string text = util::without_escape_sequences(record.message);
        while (text.ends_with('\r'))
            text.pop_back();
        text = printable_lines(text.substr(0, limits.bytes - into->bytes), true);
        const std::size_t size = text.size() + 1;
        into->lines.push_back(std::move(text));
        into->bytes += size;
        total -= std::min(total, size);
        return total > 0;
    };
    const auto files = util::open_log_files(where.unit_log_path(unit));
    for (auto file = files.rbegin(); file != files.rend(); ++file) {
        if (!util::read_lines_backward(*file, file->size, take)) return;
    }
}

}  // namespace

std::map<std::int64_t, std::string> run_output(const lifecycle::instance& where,
                                               const std::vector<unit::run_record>& runs,
                                               output_limits limits) {
    std::map<std::int64_t, tail> tails;
    std::set<std::string> tasks;
    for (const auto& run : runs) {
        tails[run.id];
        tasks.insert(run.task);
    }
    // Each task has its share, so that one that writes much leaves room for the others.
    for (const auto& task : tasks) {
        std::size_t total = limits.total / tasks.size();
        read_tails(where, task, limits, total, [&](const util::log_record& record) {
            const auto found = tails.find(record.run);
            return found == tails.end() ? nullptr : &found->second;
        });
    }
    std::map<std::int64_t, std::string> output;
    for (const auto& [id, lines] : tails) {
        if (!lines.lines.empty()) output[id] = lines.text();
    }
    return output;
}

}  // namespace hob::cmd
