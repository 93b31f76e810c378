#include "cmd/runs/run_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "cmd/core/table.hpp"
#include "cmd/runs/page_output.hpp"
#include "identity.hpp"
#include "ipc/unit_state.hpp"
#include "util/clock.hpp"
#include "util/duration.hpp"
#include "util/json/json_writer.hpp"
#include "util/signal_name.hpp"

namespace hob::cmd {
namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;
using unit::record_kind;
using unit::run_state;

constexpr int label_width = 13;

std::string local_time(system_clock::time_point time) {
    const std::string text = util::rfc3339(time);
    return text.substr(0, 10) + " " + text.substr(11, 12);
}

std::vector<std::string> last_lines(const invocation& call, const unit::run_record& run,
                                    const lifecycle::instance& where) {
    output_limits limits;
    limits.lines = call.global.verbose ? 100 : 10;
    limits.bytes = 16u << 10;
    const auto outputs = run_output(where, {run}, limits);
    std::vector<std::string> lines;
    const auto found = outputs.find(run.id);
    if (found == outputs.end()) return lines;
    std::string_view text = found->second;
    while (!text.empty()) {
        const auto end = text.find('\n');
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end == std::string_view::npos ? text.size() : end + 1, text.size()));
    }
    return lines;
}

// "LABEL  text", continued on further lines below the text.
class labelled_lines {
public:
    explicit labelled_lines(const terminal& out) : out_(out) {}

    void add(std::string_view label, const std::string& text) {
        if (text.empty()) return;
        const auto width = static_cast<std::size_t>(std::max(out_.columns - label_width, 20));
        std::string line, start = fmt::format("{:<{}}", label, label_width);
        std::string_view rest = text;
        while (!rest.empty()) {
            auto end = rest.find(' ');
            const std::string_view word = rest.substr(0, end);
            if (!line.empty() &&
                static_cast<std::size_t>(display_width(line) + 1 + display_width(word)) > width) {
                all_ += start + line + "\n";
                start = std::string(label_width, ' ');
                line.clear();
            }
            line += (line.empty() ? "" : " ") + std::string(word);
            rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        }
        all_ += start + line + "\n";
    }
    std::string text() && { return std::move(all_); }

private:
    const terminal& out_;
    std::string all_;
};

std::string what(const unit::run_record& run, bool utf8) {
    if (run.task == unit::command_name) return fmt::format("run {} of a command", run.id);
    return fmt::format("{} {} of {}", name_of(run.kind), run.id, printable(run.task, utf8));
}

std::string state_words(const unit::run_record& run) {
    const std::string end = end_text(run);
    return std::string(life_state(run)) + (end.empty() ? "" : ", " + end);
}

std::string environment_words(const unit::run_record& run, bool utf8) {
    std::string names;
    for (const auto& name : run.environment)
        names += (names.empty() ? "" : " ") + printable(name, utf8);
    return names;
}

std::string resources_words(const unit::run_record& run) {
    std::string text;
    if (run.cpu_ms) text = fmt::format("CPU {}", util::format_duration(milliseconds(*run.cpu_ms)));
    if (run.max_rss_kib && *run.max_rss_kib > 0) {
        text += fmt::format("{}memory {} at most", text.empty() ? "" : ", ",
                            util::format_size(static_cast<std::uint64_t>(*run.max_rss_kib) * 1024));
    }
    return text;
}

void add_times(labelled_lines& lines, const unit::run_record& run) {
    lines.add("started", local_time(run.started_at));
    if (run.ready_at) {
        const auto after = std::chrono::duration_cast<milliseconds>(*run.ready_at - run.started_at);
        lines.add("ready",
                  fmt::format("{}, after {}", local_time(*run.ready_at), util::format_duration(after)));
    }
    if (run.ended_at)
        lines.add("ended", fmt::format("{}, after {}", local_time(*run.ended_at),
                                       util::format_duration(length_of(run))));
    if (run.state == run_state::running) lines.add("until now", util::format_duration(length_of(run)));
}

}  // namespace

std::string_view color_of(run_state state) {
    switch (state) {
        case run_state::ok:
            return "32";
        case run_state::running:
            return "36";
        case run_state::skipped:
        case run_state::cancelled:
        case run_state::stopped:
            return "2";
        default:
            return "31";
    }
}

std::string end_text(const unit::run_record& run) {
    if (run.signal)
        return fmt::format("signal {} ({})", *run.signal, util::signal_name(static_cast<int>(*run.signal)));
    return run.exit && *run.exit != 0 ? fmt::format("exit {}", *run.exit) : "";
}

std::string_view life_state(const unit::run_record& run) {
    if (run.kind != record_kind::life || run.state != run_state::running) return name_of(run.state);
    return ipc::name_of(run.ready_at ? ipc::unit_state::ready : ipc::unit_state::starting);
}

milliseconds length_of(const unit::run_record& run) {
    if (const auto ms = run.duration_ms()) return milliseconds(*ms);
    if (run.state != run_state::running) return milliseconds(0);
    return std::max(std::chrono::duration_cast<milliseconds>(system_clock::now() - run.started_at),
                    milliseconds(0));
}

std::string run_in_full(invocation& call, const unit::run_record& run, const terminal& out) {
    std::string text = what(run, out.utf8) + ": " + paint(state_words(run), color_of(run.state), out.color);
    labelled_lines lines(out);
    add_times(lines, run);
    lines.add("trigger", std::string(name_of(run.trigger)));
    lines.add("cause", printable(util::with_local_times(run.cause), out.utf8));
    if (run.restarts && *run.restarts > 0)
        lines.add("restarts", fmt::format("{} in a row before it", *run.restarts));
    lines.add("used", resources_words(run));
    lines.add("environment", environment_words(run, out.utf8));
    const auto output = last_lines(call, run, call.where());
    const bool all_is_shown = output.size() < 10;
    if (run.output_bytes && (*run.output_bytes > 0 || output.empty())) {
        lines.add("output", *run.output_bytes == 0 ? "none"
                            : output.empty()
                                ? "no longer in the log"
                                : util::format_size(static_cast<std::uint64_t>(*run.output_bytes)) +
                                      (all_is_shown ? "" : ", the last lines:"));
    }
    text += "\n" + std::move(lines).text();
    for (const auto& line : output)
        text += "  " + printable(line, out.utf8) + "\n";
    return text + "all of it: " + command_text("logs") + fmt::format(" --run {}\n", run.id);
}

std::string run_in_full_json(invocation& call, const unit::run_record& run) {
    util::json_array environment, output;
    for (const auto& name : run.environment)
        environment.add(name);
    for (const auto& line : last_lines(call, run, call.where()))
        output.add(line);
    util::json_object object(util::raw_json{unit::run_json(run, call.where().log_dir())});
    object.add("environment", environment).add("output", output);
    return std::move(object).text();
}

}  // namespace hob::cmd
