#pragma once
// <runtime>/<key>.page: the state of the daemon, readable without the socket and even if the daemon is
// stopped or wedged. A file of 4096 bytes, mapped by the writer, with two copies that are written
// alternately. Each has a generation and a checksum, so one copy is complete whenever the writer is killed.
// Only equal versions of this file know the layout (`format` in it): a reader that finds anything unexpected
// returns nothing.

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace hob::ipc {

struct page_content {
    pid_t pid = 0;
    std::uint64_t start_time = 0;  // clock ticks since boot; identifies the process, with pid
    bool draining = false;
    std::int64_t started_at_ms = 0;  // Unix time
    std::string version;             // cut at 31 bytes
    std::uint32_t units_total = 0;
    std::uint32_t units_up = 0;
    std::uint32_t units_failed = 0;
    std::uint32_t shutdown_timeout_ms = 0;  // how long a draining daemon takes at most
    std::string units_json;                 // empty if it is larger than status_page_units_max

    bool operator==(const page_content&) const = default;
};

inline constexpr std::size_t status_page_size = 4096;
inline constexpr std::size_t status_page_units_max = 1900;

class status_page {
public:
    // Makes and maps <path>.new-PID, mode 0600, completely allocated. `path` does not exist yet. nullopt and
    // errno on failure.
    static std::optional<status_page> create(const std::string& path);

    status_page(status_page&&) noexcept;
    status_page& operator=(status_page&&) noexcept;
    ~status_page();  // removes the temporary file if it was never published; never `path`

    // Does nothing if the file was truncated.
    void write(const page_content& content) noexcept;

    // Renames the file to `path`. False and errno on failure.
    bool publish() noexcept;

private:
    struct mapping;
    explicit status_page(std::unique_ptr<mapping> mapped);
    std::unique_ptr<mapping> mapping_;
};

// nullopt: there is no regular file of this user and of this size, or no copy with a correct checksum. Never
// blocks and never faults, whatever `path` is and whatever happens to it meanwhile.
std::optional<page_content> read_status_page(const std::string& path) noexcept;

}  // namespace hob::ipc
