#include "cmd/streams/output_queue.hpp"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "error.hpp"

namespace hob::cmd {

void output_queue::add(std::string_view bytes) {
    if (size() == 0) {
        bytes_.clear();
        written_ = 0;
    }
    bytes_ += bytes;
}

// A writable pipe takes this much without blocking. The descriptor may be shared with other processes, so it
// is not made non-blocking.
std::string_view output_queue::write_some() {
    const auto next = std::string_view(bytes_).substr(written_, PIPE_BUF);
    const ssize_t n = ::write(STDOUT_FILENO, next.data(), next.size());
    if (n < 0 && errno == EPIPE) throw reader_gone();
    if (n < 0 && errno != EINTR && errno != EAGAIN) throw denied("write", "standard output", errno);
    const auto count = n > 0 ? static_cast<std::size_t>(n) : 0;
    written_ += count;
    return next.substr(0, count);
}

}  // namespace hob::cmd
