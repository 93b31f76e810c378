#pragma once
// Reading a rotated log: PATH.N … PATH.1 PATH, forward or backward, without holding it in memory. Files may
// be rotated, truncated and removed while they are read. A line longer than log_line_cap is passed on in
// pieces; empty lines are left out.

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "util/fd.hpp"

namespace hob::util {

inline constexpr std::size_t log_line_cap = 1u << 20;

struct open_log {
    std::string path;
    unique_fd fd;
    dev_t device = 0;
    ino_t inode = 0;
    off_t size = 0;  // when it was opened
};

// The files that exist, oldest first, each once even if it is renamed meanwhile. Only regular files are
// included. Throws failure(denied) with the path of a file that may not be read.
std::vector<open_log> open_log_files(const std::string& path);

// Receives each line without its newline. Returns false to stop the reading.
using line_sink = std::function<bool(std::string_view line)>;

// Calls `sink` with the lines from byte `from` to the end, including an unfinished last one. False: the sink
// stopped it.
bool read_lines(const open_log& log, off_t from, const line_sink& sink);

// The same from byte `end` backward to the front.
bool read_lines_backward(const open_log& log, off_t end, const line_sink& sink);

// The position after the last newline of the file, where an unfinished line begins.
off_t end_of_last_line(const open_log& log);

}  // namespace hob::util
