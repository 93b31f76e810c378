#include "unit/process/input_watch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <utility>

#include "util/proc.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t syscall_text_max = 256;

// Those whose first argument is what they read.
constexpr long reading_calls[] = {
    SYS_read,
    SYS_readv,
    SYS_recvfrom,
    SYS_splice,
};

constexpr long polling_calls[] = {
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_select
    SYS_select,
#endif
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_ppoll,          SYS_pselect6, SYS_epoll_pwait,
#ifdef SYS_epoll_pwait2
    SYS_epoll_pwait2,
#endif
    SYS_io_uring_enter,
};

template <typename Calls>
bool is_among(const Calls& calls, long number) {
    return std::find(std::begin(calls), std::end(calls), number) != std::end(calls);
}

}  // namespace

input_watch::input_watch(int input) {
    struct stat pipe {};
    if (::fstat(input, &pipe) == 0) input_ = pipe.st_ino;
}

bool input_watch::is_input(pid_t process, unsigned long descriptor) const {
    struct stat file {};
    const std::string link = fmt::format("/proc/{}/fd/{}", process, descriptor);
    return ::stat(link.c_str(), &file) == 0 && file.st_ino == input_;
}

// `text`: of /proc/PID/syscall.
input_watch::activity input_watch::meaning_of(pid_t process, const std::string& text) const {
    if (text.empty()) return activity::hidden;
    if (text.starts_with("running")) return activity::runs;
    char* after = nullptr;
    const long number = std::strtol(text.c_str(), &after, 10);
    if (is_among(polling_calls, number)) return activity::polls;
    if (number == SYS_wait4 || number == SYS_waitid) return activity::waits_for_children;
    if (!is_among(reading_calls, number)) return activity::sleeps;
    return is_input(process, std::strtoul(after, nullptr, 16)) ? activity::reads : activity::sleeps;
}

// `directory`: "/proc/12", or of a thread "/proc/12/task/13".
input_watch::activity input_watch::thread(pid_t process, const std::string& directory) const {
    const auto text = util::read_file(directory + "/syscall", syscall_text_max);
    return text ? meaning_of(process, *text) : activity::hidden;
}

input_watch::activity input_watch::reader_activity() {
    if (opened_ != reader_) {
        opened_ = reader_;
        reading_.clear();
        const std::string path = fmt::format("/proc/{}/syscall", reader_);
        syscall_.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    }
    std::array<char, syscall_text_max> bytes;
    const ssize_t size = syscall_ ? ::pread(syscall_.get(), bytes.data(), bytes.size(), 0) : -1;
    if (size <= 0) {
        opened_ = 0;
        return activity::hidden;
    }
    std::string text(bytes.data(), static_cast<std::size_t>(size));
    if (!reading_.empty() && text == reading_) return activity::reads;
    const activity found = meaning_of(reader_, text);
    if (found == activity::reads) reading_ = std::move(text);
    return found;
}

std::vector<input_watch::activity> input_watch::all_threads(pid_t root) {
    std::vector<activity> all;
    for (const auto& process : util::process_tree(root)) {
        const std::string directory = fmt::format("/proc/{}/task", process.pid);
        const std::unique_ptr<DIR, int (*)(DIR*)> tasks(::opendir(directory.c_str()), ::closedir);
        while (const dirent* entry = tasks ? ::readdir(tasks.get()) : nullptr) {
            if (entry->d_name[0] == '.') continue;
            all.push_back(thread(process.pid, directory + "/" + entry->d_name));
            if (all.back() == activity::reads) reader_ = process.pid;
        }
    }
    return all;
}

input_watch::sight input_watch::look(pid_t root) {
    if (reader_ == 0) reader_ = root;
    if (reader_activity() == activity::reads) return sight::waits;
    const auto all = all_threads(root);
    const auto any = [&all](activity what) { return std::find(all.begin(), all.end(), what) != all.end(); };
    if (any(activity::reads)) return sight::waits;
    if (all.empty() || any(activity::hidden)) return sight::unknown;
    if (any(activity::runs)) return sight::computes;
    return any(activity::polls) ? sight::waits : sight::sleeps;
}

bool input_watch::only_reads(pid_t root) {
    const auto all = all_threads(root);
    const auto waits = std::count(all.begin(), all.end(), activity::waits_for_children);
    const auto reads = std::count(all.begin(), all.end(), activity::reads);
    return reads == 1 && static_cast<std::size_t>(waits + reads) == all.size();
}

}  // namespace hob::unit
