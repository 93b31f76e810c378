#include "cmd/logs/merged.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <memory>
#include <queue>
#include <utility>

#include "cmd/core/follow.hpp"
#include "cmd/core/log_text.hpp"
#include "cmd/core/output.hpp"
#include "cmd/core/table.hpp"
#include "error.hpp"
#include "util/clock.hpp"
#include "util/log/log_cursor.hpp"
#include "util/log/log_reader_follow.hpp"

namespace hob::cmd {
namespace {

using std::chrono::system_clock;

// The colours of the names, in turn. Red is for errors only.
constexpr std::array<std::string_view, 6> name_colors{"36", "33", "32", "35", "34", "96"};

struct merged_line {
    system_clock::time_point time;  // for a line without a time, that of the line before it
    std::size_t source = 0;
    std::string line;
};

bool is_unit_event(const util::log_record& record) {
    return record.channel == "unit" && record.severity && *record.severity <= util::level::info;
}

class merger {
public:
    merger(const merged_options& options, bool json)
        : options_(options),
          json_(json),
          style_(log_style_for_output(options.format)),
          last_(options.sources.size()) {
        for (const auto& source : options.sources)
            width_ = std::max(
                width_, static_cast<std::size_t>(display_width(printable(source.name, style_.out.utf8))));
    }

    // nullopt: the line does not match the filter.
    std::optional<merged_line> take(std::size_t source, std::string_view line) {
        const util::log_record record = util::parse_log_record(line);
        if (record.time) last_[source] = *record.time;
        const bool shown =
            json_ || (is_shown(record, options_.format) &&
                      !(options_.sources[source].without_unit_events && is_unit_event(record)));
        if (!shown || !options_.filter.matches(record)) return std::nullopt;
        return merged_line{last_[source], source, std::string(line)};
    }

    // False: standard output has no reader any more.
    bool show(const merged_line& merged) const {
        const std::string& name = options_.sources[merged.source].name;
        const util::log_record record = util::parse_log_record(merged.line);
        if (json_) return print(log_record_json(record, merged.line, name));
        const std::string today = util::rfc3339(system_clock::now()).substr(0, 10);
        if (options_.format == log_format::raw) return print(log_record_text(record, style_, today));
        const std::string shown = printable(name, style_.out.utf8);
        const auto missing = width_ - static_cast<std::size_t>(display_width(shown));
        const std::string prefix = shown + std::string(missing, ' ') + " | ";
        const auto color = name_colors[merged.source % name_colors.size()];
        return print(paint(prefix, color, style_.out.color) + log_record_text(record, style_, today));
    }

    bool show_all(std::vector<merged_line> lines) const {
        std::stable_sort(lines.begin(), lines.end(),
                         [](const merged_line& a, const merged_line& b) { return a.time < b.time; });
        return std::all_of(lines.begin(), lines.end(),
                           [this](const merged_line& line) { return show(line); });
    }

private:
    const merged_options& options_;
    bool json_;
    log_style style_;
    std::vector<system_clock::time_point> last_;
    std::size_t width_ = 0;
};

// Collects the last lines of each log, and shows the last of all of them.
bool show_end(const std::vector<std::vector<util::open_log>>& logs, std::size_t count, merger& to) {
    std::vector<merged_line> found;
    for (std::size_t source = 0; source < logs.size(); ++source) {
        std::vector<merged_line> of_source;
        const auto collect = [&](std::string_view line) {
            if (auto selected = to.take(source, line)) of_source.push_back(std::move(*selected));
            return of_source.size() < count;
        };
        for (auto file = logs[source].rbegin(); file != logs[source].rend() && of_source.size() < count;
             ++file)
            util::read_lines_backward(*file, file->size, collect);
        found.insert(found.end(), std::make_move_iterator(of_source.rbegin()),
                     std::make_move_iterator(of_source.rend()));
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const merged_line& a, const merged_line& b) { return a.time < b.time; });
    if (found.size() > count) found.erase(found.begin(), found.end() - static_cast<std::ptrdiff_t>(count));
    return to.show_all(std::move(found));
}

bool show_everything(std::vector<std::vector<util::open_log>> logs, merger& to) {
    std::vector<util::log_cursor> cursors;
    for (auto& files : logs)
        cursors.emplace_back(std::move(files));
    const auto later = [](const merged_line& a, const merged_line& b) {
        return std::pair(a.time, a.source) > std::pair(b.time, b.source);
    };
    std::priority_queue<merged_line, std::vector<merged_line>, decltype(later)> heads(later);
    const auto advance = [&](std::size_t source) {
        while (const auto line = cursors[source].next()) {
            if (auto selected = to.take(source, *line)) {
                heads.push(std::move(*selected));
                return;
            }
        }
    };
    for (std::size_t source = 0; source < cursors.size(); ++source)
        advance(source);
    while (!heads.empty()) {
        const merged_line first = heads.top();
        heads.pop();
        if (!to.show(first)) return false;
        advance(first.source);
    }
    return true;
}

exit_code follow_all(invocation& call, const std::vector<std::unique_ptr<util::log_follower>>& logs,
                     merger& to) {
    interrupt_is_success();
    std::vector<util::log_follower*> watched;
    for (const auto& log : logs)
        watched.push_back(log.get());
    for (;;) {
        std::vector<merged_line> lines;
        for (std::size_t source = 0; source < watched.size(); ++source) {
            watched[source]->drain([&](std::string_view line) {
                if (auto selected = to.take(source, line)) lines.push_back(std::move(*selected));
                return true;
            });
        }
        if (!to.show_all(std::move(lines)) || !flush()) return exit_code::done;
        switch (util::log_follower::wait_any(watched, STDOUT_FILENO, call.limit)) {
            case util::log_follower::wake_reason::readable:
                break;
            case util::log_follower::wake_reason::reader_gone:
                return exit_code::done;
            case util::log_follower::wake_reason::deadline:
                throw failure(error_kind::timeout, cannot("follow", "", "the logs any longer"),
                              "the deadline is over");
        }
    }
}

// Continues after the last complete line of `files`, up to which they are read otherwise.
std::unique_ptr<util::log_follower> follower_of(const log_source& source,
                                                std::vector<util::open_log>& files) {
    if (files.empty() || files.back().path != source.path)
        return std::make_unique<util::log_follower>(source.path, util::open_log(), 0);
    util::open_log& newest = files.back();
    newest.size = util::end_of_last_line(newest);
    util::open_log reopened;
    reopened.path = newest.path;
    reopened.fd = util::unique_fd(::fcntl(newest.fd.get(), F_DUPFD_CLOEXEC, 3));
    if (!reopened.fd) throw denied("open", newest.path, errno);
    reopened.device = newest.device;
    reopened.inode = newest.inode;
    reopened.size = newest.size;
    const off_t end = newest.size;
    return std::make_unique<util::log_follower>(source.path, std::move(reopened), end);
}

}  // namespace

exit_code show_merged_logs(invocation& call, const merged_options& options) {
    merger to(options, call.global.json);
    std::vector<std::unique_ptr<util::log_follower>> followers;
    std::vector<std::vector<util::open_log>> logs;
    for (const auto& source : options.sources) {
        logs.push_back(util::open_log_files(source.path));
        if (options.follow) followers.push_back(follower_of(source, logs.back()));
    }
    const bool reader_present =
        options.lines ? show_end(logs, *options.lines, to) : show_everything(std::move(logs), to);
    if (reader_present && options.follow) return follow_all(call, followers, to);
    flush();
    return exit_code::done;
}

}  // namespace hob::cmd
