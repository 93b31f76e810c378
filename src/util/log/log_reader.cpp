#include "util/log/log_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "error.hpp"
#include "util/log/rotating_file.hpp"

namespace hob::util {
namespace {

constexpr std::size_t block = 64u << 10;

ssize_t read_at(int fd, char* into, std::size_t size, off_t at) {
    for (;;) {
        const ssize_t n = ::pread(fd, into, size, at);
        if (n >= 0 || errno != EINTR) return n;
    }
}

void add_file(std::vector<open_log>& files, const std::string& path) {
    open_log log{path, open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY), 0, 0, 0};
    if (!log.fd) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ENXIO) return;
        throw denied("read", path, errno);
    }
    struct stat file_stat {};
    if (::fstat(log.fd.get(), &file_stat) != 0 || !S_ISREG(file_stat.st_mode)) return;
    log.device = file_stat.st_dev;
    log.inode = file_stat.st_ino;
    log.size = file_stat.st_size;
    const bool is_listed = std::any_of(files.begin(), files.end(), [&](const open_log& other) {
        return other.device == log.device && other.inode == log.inode;
    });
    if (!is_listed) files.push_back(std::move(log));
}

}  // namespace

std::vector<open_log> open_log_files(const std::string& path) {
    // Newest first: a file that is rotated meanwhile is then found twice instead of not at all.
    std::vector<open_log> files;
    add_file(files, path);
    for (const int number : rotated_numbers(path)) {
        add_file(files, path + "." + std::to_string(number));
    }
    std::reverse(files.begin(), files.end());
    return files;
}

bool read_lines(const open_log& log, off_t from, const line_sink& sink) {
    std::string pending;
    std::string chunk(block, '\0');
    for (;;) {
        const ssize_t n = read_at(log.fd.get(), chunk.data(), chunk.size(), from);
        if (n <= 0) break;
        from += n;
        std::string_view rest(chunk.data(), static_cast<std::size_t>(n));
        for (auto newline = rest.find('\n'); newline != std::string_view::npos; newline = rest.find('\n')) {
            pending.append(rest.substr(0, newline));
            if (!pending.empty() && !sink(pending)) return false;
            pending.clear();
            rest.remove_prefix(newline + 1);
        }
        pending.append(rest);
        if (pending.size() > log_line_cap) {
            if (!sink(pending)) return false;
            pending.clear();
        }
    }
    return pending.empty() || sink(pending);
}

bool read_lines_backward(const open_log& log, off_t end, const line_sink& sink) {
    std::string line;  // the end of the line whose beginning has not been read yet
    std::string chunk(block, '\0');
    while (end > 0) {
        const auto size = static_cast<std::size_t>(std::min<off_t>(end, static_cast<off_t>(block)));
        end -= static_cast<off_t>(size);
        // A short read: the file was truncated meanwhile, so the rest is gone as well.
        if (read_at(log.fd.get(), chunk.data(), size, end) != static_cast<ssize_t>(size)) break;
        std::string_view rest(chunk.data(), size);
        for (auto newline = rest.rfind('\n'); newline != std::string_view::npos; newline = rest.rfind('\n')) {
            line.insert(0, rest.substr(newline + 1));
            if (!line.empty() && !sink(line)) return false;
            line.clear();
            rest = rest.substr(0, newline);
        }
        line.insert(0, rest);
        if (line.size() > log_line_cap) {
            if (!sink(line)) return false;
            line.clear();
        }
    }
    return line.empty() || sink(line);
}

off_t end_of_last_line(const open_log& log) {
    std::string chunk(block, '\0');
    for (off_t end = log.size; end > 0;) {
        const auto size = static_cast<std::size_t>(std::min<off_t>(end, static_cast<off_t>(block)));
        end -= static_cast<off_t>(size);
        if (read_at(log.fd.get(), chunk.data(), size, end) != static_cast<ssize_t>(size)) return 0;
        const auto newline = std::string_view(chunk.data(), size).rfind('\n');
        if (newline != std::string_view::npos) return end + static_cast<off_t>(newline) + 1;
    }
    return 0;
}

}  // namespace hob::util
