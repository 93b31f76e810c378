#include "util/log/rotating_file.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <memory>
#include <utility>
#include <vector>

#include "error.hpp"

namespace hob::util {
namespace {

constexpr std::chrono::seconds check_interval{1};
// Bounds the loop when another process keeps putting a full file in our place.
constexpr int rotations_max = 3;

std::uint64_t lines_in(std::string_view records) {
    const auto newlines = static_cast<std::uint64_t>(std::count(records.begin(), records.end(), '\n'));
    return std::max<std::uint64_t>(newlines, records.empty() ? 0 : 1);
}

// As many complete records from the front of `records` as fit into `room`, but at least one.
std::string_view first_fitting(std::string_view records, std::uint64_t room) {
    if (records.size() <= room) return records;
    const auto last = room == 0 ? std::string_view::npos : records.rfind('\n', room - 1);
    if (last != std::string_view::npos) return records.substr(0, last + 1);
    return records.substr(0, std::min(records.find('\n'), records.size() - 1) + 1);
}

bool exists(const std::string& path) {
    struct stat path_stat {};
    return ::lstat(path.c_str(), &path_stat) == 0;
}

}  // namespace

std::vector<int> rotated_numbers(const std::string& path) {
    const auto slash = path.rfind('/');
    const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash + 1);
    const std::string prefix = (slash == std::string::npos ? path : path.substr(slash + 1)) + ".";
    std::vector<int> numbers;
    const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(directory.c_str()), ::closedir);
    if (!dir) return numbers;
    while (const dirent* entry = ::readdir(dir.get())) {
        std::string_view name = entry->d_name;
        if (!name.starts_with(prefix)) continue;
        name.remove_prefix(prefix.size());
        int number = 0;
        const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
        const bool whole = error == std::errc{} && end == name.data() + name.size();
        if (whole && number > 0 && name.front() != '0') numbers.push_back(number);
    }
    std::sort(numbers.begin(), numbers.end());
    return numbers;
}

rotating_file::rotating_file(std::string path, std::uint64_t max_size, int max_files, note_maker make_note)
    : path_(std::move(path)), max_size_(0), max_files_(1), make_note_(std::move(make_note)) {
    set_limits(max_size, max_files);
}

void rotating_file::set_limits(std::uint64_t max_size, int max_files) {
    max_size_ = std::max<std::uint64_t>(max_size, 1);
    max_files_ = std::max(max_files, 1);
    pruned_ = false;
}

bool rotating_file::append(std::string_view records) noexcept {
    if (records.empty()) return true;
    const std::uint64_t before = lost_;
    try {
        return append_or_throw(records);
    } catch (...) {
        // Out of memory: how many records were written is unknown. Counted as one.
        lost_ = std::max(lost_, before + 1);
        return false;
    }
}

std::uint64_t rotating_file::present_room() const {
    return max_size_ - std::min(max_size_, size_ + (torn_ ? 1 : 0));
}

std::uint64_t rotating_file::note_size() const {
    return lost_ > 0 && make_note_ ? make_note_(lost_, reason_).size() : 0;
}

std::uint64_t rotating_file::room() noexcept {
    try {
        if (!ready()) return max_size_;
        return present_room() - std::min(present_room(), note_size());
    } catch (...) {
        return max_size_;  // append() counts the loss
    }
}

void rotating_file::make_room(std::uint64_t size) noexcept {
    try {
        if (!ready() || size_ == 0 || size + note_size() <= present_room()) return;
        if (rotate() && !fd_) open();
    } catch (...) {
        return;
    }
}

file_position rotating_file::position() const {
    if (!fd_) return {};
    return {static_cast<std::uint64_t>(device_), static_cast<std::uint64_t>(inode_), size_};
}

bool rotating_file::append_or_throw(std::string_view records) {
    // A note about earlier losses is written together with the record after it: on a nearly full disk the
    // note alone would fit again and again.
    std::string with_note;
    std::size_t note = 0;
    if (lost_ > 0 && make_note_) {
        with_note = make_note_(lost_, reason_);
        note = with_note.size();
        records = with_note.append(records);
    }
    bool all = true;
    int rotations = 0;  // without a record written between them
    while (!records.empty()) {
        if (!ready()) {
            lost_ += lines_in(records.substr(note));
            return false;
        }
        const std::string_view fitting = first_fitting(records, present_room());
        if (fitting.size() > present_room() && size_ > 0) {
            if (++rotations <= rotations_max && rotate()) continue;
            lost_ += lines_in(records.substr(note));
            return false;
        }
        rotations = 0;
        const std::size_t kept = write_records(fitting, std::min(note + 1, fitting.size()));
        if (kept > 0 && note > 0) lost_ = 0;
        if (kept < fitting.size()) {
            lost_ += lines_in(fitting.substr(kept == 0 ? std::min(note, fitting.size()) : kept));
            all = false;
        }
        note = kept > 0 ? 0 : note - std::min(note, fitting.size());
        records.remove_prefix(fitting.size());
    }
    if (all) problem_.clear();
    return all;
}

// Makes sure that the file is open, is still the one at path_, and keeps to the limits.
bool rotating_file::ready() {
    const auto now = std::chrono::steady_clock::now();
    if (fd_ && now - checked_ >= check_interval) {
        struct stat path_stat {};
        const bool same = ::lstat(path_.c_str(), &path_stat) == 0 && path_stat.st_dev == device_ &&
                          path_stat.st_ino == inode_;
        if (!same) fd_.reset();
        struct stat file_stat {};
        // A person may have truncated it (`: > daemon.log`).
        if (same && ::fstat(fd_.get(), &file_stat) == 0)
            size_ = static_cast<std::uint64_t>(file_stat.st_size);
    }
    if (now - checked_ >= check_interval || !fd_) checked_ = now;
    if (!fd_ && !open()) return false;
    return pruned_ || prune() || (!fd_ && open() && prune());
}

bool rotating_file::open() {
    // O_NONBLOCK: opening a fifo in its place must not block.
    constexpr int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK;
    unique_fd fd = open_file(path_, flags, 0600);
    if (!fd) return fail("open", errno == ELOOP ? "it is a symbolic link" : errno_text(errno));
    struct stat file_stat {};
    if (::fstat(fd.get(), &file_stat) != 0) return fail("open", errno_text(errno));
    if (!S_ISREG(file_stat.st_mode)) return fail("open", "not a regular file");
    if (file_stat.st_uid != ::geteuid()) return fail("open", "it belongs to another user");
    if ((file_stat.st_mode & 0077) != 0 && ::fchmod(fd.get(), 0600) != 0)
        return fail("open", errno_text(errno));
    fd_ = std::move(fd);
    device_ = file_stat.st_dev;
    inode_ = file_stat.st_ino;
    size_ = static_cast<std::uint64_t>(file_stat.st_size);
    torn_ = false;
    if (size_ > 0) {
        // A writer that was killed may have left a partial record.
        const unique_fd end = open_file(path_, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
        char last = '\n';
        if (end && ::pread(end.get(), &last, 1, file_stat.st_size - 1) == 1) torn_ = last != '\n';
    }
    return true;
}

// Renames every file to the next number, replacing the oldest, and leaves none open. Where renaming fails the
// file is truncated, so that the limit holds in any case. False and problem_: truncating failed as well.
bool rotating_file::rotate() {
    struct stat path_stat {};
    if (::lstat(path_.c_str(), &path_stat) != 0 || path_stat.st_dev != device_ ||
        path_stat.st_ino != inode_) {
        fd_.reset();
        return true;
    }
    int free = 1;
    while (free < max_files_ - 1 && exists(numbered(free)))
        ++free;
    for (int number = free; number > 1; --number) {
        ::rename(numbered(number - 1).c_str(), numbered(number).c_str());
    }
    if (max_files_ > 1 && ::rename(path_.c_str(), numbered(1).c_str()) == 0) {
        fd_.reset();
        return true;
    }
    if (::ftruncate(fd_.get(), 0) != 0) return fail("rotate", errno_text(errno));
    size_ = 0;
    torn_ = false;
    return true;
}

// Removes old files beyond the count, and the oldest beyond the total size: an earlier setting may have been
// larger. False: the file was rotated and must be opened again.
bool rotating_file::prune() {
    if (size_ > max_size_) {
        if (!rotate() || !fd_) return false;
    }
    std::uint64_t room = 0;
    if (__builtin_mul_overflow(max_size_, static_cast<std::uint64_t>(max_files_ - 1), &room))
        room = UINT64_MAX;
    for (const int number : rotated_numbers(path_)) {
        struct stat old {};
        if (::lstat(numbered(number).c_str(), &old) != 0 || !S_ISREG(old.st_mode)) continue;
        const auto size = static_cast<std::uint64_t>(old.st_size);
        if (number >= max_files_ || size > room) {
            ::unlink(numbered(number).c_str());
            room = number >= max_files_ ? room : 0;
        } else {
            room -= size;
        }
    }
    pruned_ = true;
    return true;
}

// Writes complete records and returns how many bytes were kept. If not all, problem_ is set. Less than
// `at_least` bytes are removed again.
std::size_t rotating_file::write_records(std::string_view records, std::size_t at_least) {
    if (torn_) {
        if (write_at_end("\n", 1) == 0) {
            fail("write", errno_text(errno));
            return 0;
        }
        torn_ = false;
    }
    if (records.size() > max_size_) {
        std::string cut(records.substr(0, max_size_));
        cut.back() = '\n';
        if (write_at_end(cut, cut.size()) == cut.size()) return records.size();
        fail("write", errno_text(errno));
        return 0;
    }
    const std::size_t kept = write_at_end(records, at_least);
    if (kept < records.size()) fail("write", errno_text(errno));
    return kept;
}

// Returns how many bytes were kept, up to the end of a line. If not all, errno is set.
std::size_t rotating_file::write_at_end(std::string_view bytes, std::size_t at_least) {
    std::size_t written = 0;
    while (written < bytes.size()) {
        const ssize_t n = ::write(fd_.get(), bytes.data() + written, bytes.size() - written);
        if (n > 0) {
            written += static_cast<std::size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            break;
        }
    }
    const int saved = errno;
    std::size_t kept = written;
    if (written < bytes.size()) {
        const auto last = written == 0 ? std::string_view::npos : bytes.rfind('\n', written - 1);
        kept = last == std::string_view::npos || last + 1 < at_least ? 0 : last + 1;
        if (kept < written && ::ftruncate(fd_.get(), static_cast<off_t>(size_ + kept)) != 0) {
            size_ += written - kept;
            torn_ = true;
        }
    }
    size_ += kept;
    errno = saved;
    return kept;
}

bool rotating_file::fail(std::string_view verb, std::string_view reason) {
    problem_.assign("cannot ").append(verb).append(" '").append(path_).append("': ").append(reason);
    reason_ = reason;
    return false;
}

std::string rotating_file::numbered(int number) const { return path_ + "." + std::to_string(number); }

}  // namespace hob::util
