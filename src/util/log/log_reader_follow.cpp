#include "util/log/log_reader_follow.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <limits>
#include <utility>

#include "error.hpp"

namespace hob::util {
namespace {

constexpr std::chrono::milliseconds poll_interval{250};  // without inotify
constexpr std::size_t head_max = 64;
constexpr std::size_t block = 64u << 10;

std::string read_head(int fd, std::size_t size) {
    std::string head(size, '\0');
    const ssize_t n = ::pread(fd, head.data(), size, 0);
    head.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return head;
}

bool is_directory(const std::string& path) {
    struct stat file_stat {};
    return ::stat(path.c_str(), &file_stat) == 0 && S_ISDIR(file_stat.st_mode);
}

}  // namespace

log_follower::log_follower(std::string path, open_log current, off_t from, waits where)
    : path_(std::move(path)) {
    if (where == waits::here) {
        inotify_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
        if (!inotify_) give_up_inotify(errno);
    }
    begin_file(std::move(current), from);
}

void log_follower::begin_file(open_log log, off_t from) {
    current_ = std::move(log);
    offset_ = from;
    pending_.clear();
    head_ =
        current_.fd && from > 0 ? read_head(current_.fd.get(), std::min<std::size_t>(head_max, from)) : "";
    watch_file();
}

void log_follower::give_up_inotify(int error_number) {
    polling_ = errno_text(error_number);
    inotify_.reset();
    directory_watch_ = file_watch_ = -1;
}

// Watches the log's directory for new files. While it does not exist: its nearest ancestor that does.
void log_follower::watch_directory() {
    if (!inotify_) return;
    std::string directory = path_;
    do {
        const auto slash = directory.rfind('/');
        directory = slash == std::string::npos ? "." : slash == 0 ? "/" : directory.substr(0, slash);
    } while (!is_directory(directory) && directory != "/" && directory != ".");
    constexpr std::uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
    const int watch = ::inotify_add_watch(inotify_.get(), directory.c_str(), mask);
    if (watch < 0) {
        if (errno != ENOENT && errno != ENOTDIR) give_up_inotify(errno);
        return;
    }
    if (directory_watch_ >= 0 && directory_watch_ != watch)
        ::inotify_rm_watch(inotify_.get(), directory_watch_);
    directory_watch_ = watch;
}

void log_follower::watch_file() {
    if (!inotify_) return;
    if (file_watch_ >= 0) ::inotify_rm_watch(inotify_.get(), file_watch_);
    file_watch_ = -1;
    if (!current_.fd) return;
    // By descriptor: the path may belong to another file by now.
    const std::string name = "/proc/self/fd/" + std::to_string(current_.fd.get());
    file_watch_ = ::inotify_add_watch(inotify_.get(), name.c_str(), IN_MODIFY);
    if (file_watch_ < 0) give_up_inotify(errno);
}

bool log_follower::truncated() {
    struct stat file_stat {};
    if (::fstat(current_.fd.get(), &file_stat) != 0) return false;
    return file_stat.st_size < offset_ || read_head(current_.fd.get(), head_.size()) != head_;
}

// Reads the present file to its end, or until the budget is used up.
log_follower::progress log_follower::read_new(const line_sink& sink, std::size_t& budget) {
    // A record without its end is read again: a killed writer's successor may have replaced it.
    if (std::exchange(at_end_, false)) {
        offset_ -= static_cast<off_t>(pending_.size());
        pending_.clear();
    }
    if (truncated()) {
        offset_ = 0;
        head_.clear();
        pending_.clear();
    }
    std::string chunk(block, '\0');
    for (;;) {
        if (budget == 0) return progress::more;
        const ssize_t n = ::pread(current_.fd.get(), chunk.data(), chunk.size(), offset_);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            at_end_ = true;
            return progress::all;
        }
        budget -= std::min(budget, static_cast<std::size_t>(n));
        std::string_view rest(chunk.data(), static_cast<std::size_t>(n));
        if (head_.size() < head_max && static_cast<std::size_t>(offset_) == head_.size()) {
            head_.append(rest.substr(0, head_max - head_.size()));
        }
        offset_ += n;
        for (auto newline = rest.find('\n'); newline != std::string_view::npos; newline = rest.find('\n')) {
            pending_.append(rest.substr(0, newline));
            if (!pending_.empty() && !sink(pending_)) return progress::stopped;
            pending_.clear();
            rest.remove_prefix(newline + 1);
        }
        pending_.append(rest);
        if (pending_.size() > log_line_cap) {
            if (!sink(pending_)) return progress::stopped;
            pending_.clear();
        }
    }
}

// The file has been rotated and is not written any more: reads what was written since the last read.
log_follower::progress log_follower::finish_file(const line_sink& sink, std::size_t& budget) {
    if (const progress read = read_new(sink, budget); read != progress::all) return read;
    if (!pending_.empty() && !sink(pending_)) return progress::stopped;
    pending_.clear();
    return progress::all;
}

// Whether the file being read is the one at path_.
bool log_follower::at_path(bool& absent) const {
    struct stat file_stat {};
    absent = ::stat(path_.c_str(), &file_stat) != 0 || !S_ISREG(file_stat.st_mode);
    return !absent && current_.fd && file_stat.st_dev == current_.device &&
           file_stat.st_ino == current_.inode;
}

// Opens the file after the present one. More than one rotation may have happened since.
bool log_follower::next_file() {
    auto files = open_log_files(path_);
    if (files.empty()) return false;
    std::size_t next = files.size() - 1;
    if (current_.fd) {
        const auto same = [&](const open_log& log) {
            return log.device == current_.device && log.inode == current_.inode;
        };
        const auto position = std::find_if(files.begin(), files.end(), same);
        if (position != files.end()) {
            next = static_cast<std::size_t>(position - files.begin()) + 1;
        } else {
            // Our file is gone: continue with the oldest file that was written after it. Others may have gone
            // with it.
            lost_ = true;
            struct stat ours {};
            ::fstat(current_.fd.get(), &ours);
            while (next > 0) {
                struct stat older {};
                if (::fstat(files[next - 1].fd.get(), &older) != 0) break;
                if (std::pair(older.st_mtim.tv_sec, older.st_mtim.tv_nsec) <=
                    std::pair(ours.st_mtim.tv_sec, ours.st_mtim.tv_nsec)) {
                    break;
                }
                --next;
            }
        }
    }
    if (next >= files.size()) return false;
    begin_file(std::move(files[next]), 0);
    return true;
}

bool log_follower::drain(const line_sink& sink) {
    return drain_some(sink, std::numeric_limits<std::size_t>::max()) != progress::stopped;
}

log_follower::progress log_follower::drain_some(const line_sink& sink, std::size_t bytes) {
    // Watch before reading: a change in between then wakes the next wait().
    watch_directory();
    for (;;) {
        progress read = current_.fd ? read_new(sink, bytes) : progress::all;
        if (read != progress::all) return read;
        bool absent = false;
        if (at_path(absent) || absent) return progress::all;
        if (current_.fd) read = finish_file(sink, bytes);
        if (read != progress::all) return read;
        if (!next_file()) return progress::all;
    }
}

log_follower::wake_reason log_follower::wait_any(const std::vector<log_follower*>& logs, int output,
                                                 deadline limit, int also) {
    std::vector<pollfd> watched{{output, 0, 0}, {also, POLLIN, 0}};
    deadline until = limit;
    for (const auto* log : logs) {
        if (log->inotify_) {
            watched.push_back({log->inotify_.get(), POLLIN, 0});
        } else {
            until = until.earlier(deadline::in(poll_interval));
        }
    }
    ::poll(watched.data(), watched.size(), until.poll_timeout());
    if ((watched[0].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return wake_reason::reader_gone;
    for (std::size_t i = 2; i < watched.size(); ++i) {
        alignas(inotify_event) char events[16384];
        while (watched[i].revents != 0 && ::read(watched[i].fd, events, sizeof events) > 0) {
        }
    }
    return limit.expired() ? wake_reason::deadline : wake_reason::readable;
}

}  // namespace hob::util
