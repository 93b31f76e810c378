#include "cmd/units/unit_streams.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "util/log/log_reader_record.hpp"

namespace hob::cmd {
namespace {

constexpr std::chrono::milliseconds look_interval{250};  // without inotify
constexpr std::size_t bytes_at_once = 128u << 10;        // of each log

struct timed_line {
    std::chrono::system_clock::time_point time;
    const std::string* unit = nullptr;
    std::string record;
};

}  // namespace

unit_streams::unit_streams(const std::string& log_directory)
    : inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
    if (!inotify_) return;
    constexpr std::uint32_t mask = IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;
    if (::inotify_add_watch(inotify_.get(), log_directory.c_str(), mask) < 0) inotify_.reset();
}

void unit_streams::add(const std::string& unit, const std::string& log_path, std::uint64_t inode,
                       std::uint64_t size) {
    auto files = util::open_log_files(log_path);
    const auto known = std::find_if(files.begin(), files.end(),
                                    [&](const util::open_log& file) { return file.inode == inode; });
    util::open_log first;
    off_t from = 0;
    if (inode != 0 && known != files.end()) {
        first = std::move(*known);
        from = static_cast<off_t>(size);
    } else if (!files.empty()) {
        first = std::move(files.front());  // it is newer than the request
    }
    source& added = sources_.emplace_back();
    added.unit = unit;
    added.file_name = log_path.substr(log_path.rfind('/') + 1);
    added.log = std::make_unique<util::log_follower>(log_path, std::move(first), from,
                                                     util::log_follower::waits::elsewhere);
}

void unit_streams::look_at_all() {
    for (auto& each : sources_)
        each.changed = true;
}

void unit_streams::note_changes() {
    alignas(inotify_event) char events[16384];
    while (inotify_) {
        const ssize_t n = ::read(inotify_.get(), events, sizeof events);
        if (n <= 0) return;
        for (ssize_t at = 0; at < n;) {
            const auto* event = reinterpret_cast<const inotify_event*>(events + at);
            at += static_cast<ssize_t>(sizeof *event + event->len);
            if ((event->mask & IN_Q_OVERFLOW) != 0) look_at_all();
            const std::string_view name = event->len > 0 ? event->name : "";
            for (auto& each : sources_)
                each.changed = each.changed || name == each.file_name;
        }
    }
}

util::deadline unit_streams::next_look() const {
    return inotify_ ? util::deadline::never() : util::deadline::in(look_interval);
}

bool unit_streams::read(const line_sink& sink) {
    std::vector<timed_line> lines;
    bool more = false;
    for (auto& each : sources_) {
        if (inotify_ && !each.changed) continue;
        std::chrono::system_clock::time_point time;
        const auto collect = [&](std::string_view line) {
            if (const auto own = util::parse_log_record(line).time) time = *own;
            lines.push_back({time, &each.unit, std::string(line)});
            return true;
        };
        each.changed = each.log->drain_some(collect, bytes_at_once) == util::log_follower::progress::more;
        more = more || each.changed;
    }
    std::stable_sort(lines.begin(), lines.end(),
                     [](const timed_line& a, const timed_line& b) { return a.time < b.time; });
    for (const auto& line : lines)
        sink(*line.unit, line.record);
    return more;
}

std::vector<std::string> unit_streams::take_losses() {
    std::vector<std::string> units;
    for (auto& each : sources_) {
        if (each.log->take_loss()) units.push_back(each.unit);
    }
    return units;
}

}  // namespace hob::cmd
