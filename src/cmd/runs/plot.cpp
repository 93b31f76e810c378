#include "cmd/runs/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "cmd/core/table.hpp"
#include "cmd/runs/run_text.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"

namespace hob::cmd {
namespace {

constexpr int plot_height = 12;
constexpr int label_width = 8;
constexpr const char* eighths[] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                   "\u2585", "\u2586", "\u2587", "\u2588"};

std::string label(std::int64_t ms) {
    return fmt::format("{:>{}} ", util::format_duration(std::chrono::milliseconds(ms)), label_width);
}

std::string minute_of(std::chrono::system_clock::time_point time) {
    std::string text = util::rfc3339(time).substr(0, 16);
    text[10] = ' ';
    return text;
}

// The character of `run`'s column in row `row`; row 0 is the lowest.
std::string cell(const unit::run_record& run, std::int64_t longest, int row, const terminal& out) {
    const std::int64_t height = std::max<std::int64_t>(*run.duration_ms() * plot_height * 8 / longest, 1);
    const auto part = static_cast<int>(std::clamp<std::int64_t>(height - row * 8, 0, 8));
    if (part == 0) return " ";
    const char* ascii = part >= 4 || row == 0 ? "#" : " ";
    return paint(out.utf8 ? eighths[part] : ascii, color_of(run.state), out.color);
}

}  // namespace

std::string plot_runs(const std::vector<unit::run_record>& runs, const terminal& out) {
    std::vector<unit::run_record> shown;
    const auto width = static_cast<std::size_t>(std::max(out.columns - label_width - 3, 10));
    for (const auto& run : runs) {
        if (run.duration_ms() && run.state != unit::run_state::skipped && shown.size() < width)
            shown.push_back(run);
    }
    if (shown.empty()) return {};
    std::reverse(shown.begin(), shown.end());
    std::int64_t longest = 1;
    for (const auto& run : shown)
        longest = std::max(longest, *run.duration_ms());
    std::string text;
    for (int row = plot_height - 1; row >= 0; --row) {
        const bool labelled = row == plot_height - 1 || row == plot_height / 2;
        text += labelled ? label(longest * (row + 1) / plot_height) : std::string(label_width + 1, ' ');
        text += out.utf8 ? "\u2502" : "|";
        for (const auto& run : shown)
            text += cell(run, longest, row, out);
        text += '\n';
    }
    text += std::string(label_width + 1, ' ') + (out.utf8 ? "\u2514" : "+");
    for (std::size_t i = 0; i < shown.size(); ++i)
        text += out.utf8 ? "\u2500" : "-";
    const std::string from = minute_of(shown.front().started_at), to = minute_of(shown.back().started_at);
    text += "\n" + std::string(label_width + 2, ' ');
    const std::size_t ends = from.size() + 2 + to.size();
    text += shown.size() >= ends ? from + std::string(shown.size() - ends + 2, ' ') + to : from + " to " + to;
    return text + "\n";
}

}  // namespace hob::cmd
