#pragma once
// File descriptors that have an owner and close-on-exec from their creation on, and small file operations.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace hob::util {

class unique_fd {
public:
    unique_fd() = default;
    explicit unique_fd(int fd) : fd_(fd) {}
    unique_fd(unique_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    unique_fd& operator=(unique_fd&& other) noexcept {
        if (this != &other) reset(std::exchange(other.fd_, -1));
        return *this;
    }
    unique_fd(const unique_fd&) = delete;
    unique_fd& operator=(const unique_fd&) = delete;
    ~unique_fd() { reset(); }

    int get() const { return fd_; }
    explicit operator bool() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset(int fd = -1);  // keeps errno

private:
    int fd_ = -1;
};

struct pipe_ends {
    unique_fd read;
    unique_fd write;
};

// pipe2(O_CLOEXEC); throws failure(denied) with errno.
pipe_ends make_pipe();

// Opens with O_CLOEXEC added, retrying EINTR. An empty unique_fd and errno on failure.
unique_fd open_file(const std::string& path, int flags, unsigned mode = 0);

// Writes everything, retrying EINTR and short writes; waits in poll where the descriptor is non-blocking.
// False and errno on failure.
bool write_all(int fd, std::string_view bytes);

// The whole of a file of at most `cap` bytes. nullopt and errno on failure (EFBIG when it is larger). Never
// blocks on a fifo and never follows a final symlink when `follow` is false.
std::optional<std::string> read_file(const std::string& path, std::size_t cap, bool follow = true);

// Replaces `path` atomically and durably by a file with `bytes`, mode 0600: writes a temporary file beside
// it, syncs and renames it. False and errno on failure.
bool replace_file(const std::string& path, std::string_view bytes);

// mkdir -p with mode 0700. False and errno on failure.
bool make_directories(const std::string& path);

void set_nonblocking(int fd, bool on);
void set_cloexec(int fd, bool on);

}  // namespace hob::util
