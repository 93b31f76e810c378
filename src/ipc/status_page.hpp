#pragma once
// <runtime>/<key>.page: what the daemon last said of itself, readable without the socket and even when the
// daemon is stopped or wedged. One 4096-byte file, mapped by the writer: two copies, each with a generation
// and a checksum, written alternately, so that there is a whole one whenever the writer is killed. Its layout
// is private to equal versions of this file (`format` in it); a reader that is in any doubt says nothing.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace hob::ipc {

struct page_content {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  // clock ticks since boot; with pid, names the process
    bool draining = false;
    std::int64_t started_at_ms = 0;  // Unix time
    std::string version;             // cut at 31 bytes
    std::uint32_t units_total = 0;
    std::uint32_t units_up = 0;
    std::uint32_t units_failed = 0;
    std::uint32_t shutdown_timeout_ms = 0;  // for how long a draining daemon may be waited for
    std::string units_json;  // left out (empty) where it does not fit: status_page_units_max bytes

    bool operator==(const page_content&) const = default;
};

inline constexpr std::size_t status_page_size = 4096;
inline constexpr std::size_t status_page_units_max = 1900;

class status_page {
public:
    // Makes <path>.new-PID, mode 0600, all of it allocated, and maps it; not visible at `path` yet. nullopt
    // and errno on failure.
    static std::optional<status_page> create(const std::string& path);

    status_page(status_page&&) noexcept;
    status_page& operator=(status_page&&) noexcept;
    ~status_page();  // removes the temporary file if it was never published; never `path`

    // Without effect once the file has another size: somebody truncated it.
    void write(const page_content& content) noexcept;

    // Renames it into place. False and errno on failure.
    bool publish() noexcept;

private:
    struct mapping;
    explicit status_page(std::unique_ptr<mapping> mapped);
    std::unique_ptr<mapping> mapping_;
};

// nullopt: absent, not a regular file, not ours, not of the right size, no copy with a right checksum. Never
// blocks and never faults, whatever is at `path` and whatever happens to it meanwhile.
std::optional<page_content> read_status_page(const std::string& path) noexcept;

}  // namespace hob::ipc
