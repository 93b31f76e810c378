#pragma once
// Reading a file that may be on a file system that does not answer, such as a mount of a server that is gone:
// a call on such a file waits for ever, and no signal ends it.

#include <sys/stat.h>

#include <chrono>
#include <cstddef>
#include <string>

namespace hob::util {

struct distant_file {
    int error = 0;         // of open(2) or read(2); ETIMEDOUT: its file system does not answer; EFBIG
    struct stat facts {};  // st_mode is 0: it could not be opened, nor looked at
    std::string bytes{};   // of a regular file
};

// Reads `path`, at most `size_max` bytes, without blocking on a fifo. `near`: a directory whose file system
// answers. A file below it, on the same mount, is read at once. Any other is read by a process of its own,
// which has `limit`, and is killed then. While it is not gone, the same path fails at once. A path that took
// too long the last time, and every other one meanwhile, has a quarter of the limit. Needs file descriptors
// and, for a distant file, a process; without them it fails with their errno.
distant_file read_distant_file(const std::string& path, const std::string& near, std::size_t size_max,
                               std::chrono::milliseconds limit);

// Likewise, the facts alone: those of stat(2).
distant_file look_at_distant_file(const std::string& path, const std::string& near,
                                  std::chrono::milliseconds limit);

// open(2) of a path in `directory` (openat2(2)), O_CLOEXEC added. -1 and errno: EXDEV if it would cross a
// mount point; Linux before 5.6 and some filters do not have the call, see is_refusal().
int open_on_one_mount(int directory, const char* path, int flags);

}  // namespace hob::util
