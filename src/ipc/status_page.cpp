#include "ipc/status_page.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/interprocess/exceptions.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "identity.hpp"
#include "util/crc32.hpp"
#include "util/fd.hpp"

namespace hob::ipc {
namespace {

namespace bip = boost::interprocess;

constexpr std::uint32_t format = 2;
constexpr std::size_t version_max = 31;

// The layout in the file. Read only on the machine that wrote it.
struct copy {
    std::array<char, 8> magic;
    std::uint32_t format;
    std::uint32_t checksum;  // CRC-32 of everything below, without the part of `units` that is not used
    std::uint64_t generation;
    std::uint64_t start_time;
    std::int64_t started_at_ms;
    std::int32_t pid;
    std::uint32_t draining;
    std::uint32_t units_total;
    std::uint32_t units_up;
    std::uint32_t units_failed;
    std::uint32_t shutdown_timeout_ms;
    std::uint32_t units_length;
    std::array<char, version_max + 1> version;
    std::array<char, status_page_units_max> units;
};
constexpr std::size_t copy_stride = status_page_size / 2;
static_assert(sizeof(copy) <= copy_stride && std::is_trivially_copyable_v<copy>);
// Without padding, so that equal content has an equal checksum.
static_assert(sizeof(copy) == 8 + 4 + 4 + 3 * 8 + 7 * 4 + version_max + 1 + status_page_units_max);

// `units_length` is at most the size of `units`.
std::uint32_t checksum_of(const copy& content) {
    constexpr std::size_t head = offsetof(copy, generation);
    return util::crc32({reinterpret_cast<const char*>(&content) + head,
                        offsetof(copy, units) + content.units_length - head});
}

copy encode(const page_content& content, std::uint64_t generation) {
    copy made{};
    std::ranges::copy(this_program.page_magic, made.magic.data());
    made.format = format;
    made.generation = generation;
    made.start_time = content.start_time;
    made.started_at_ms = content.started_at_ms;
    made.pid = content.pid;
    made.draining = content.draining ? 1 : 0;
    made.units_total = content.units_total;
    made.units_up = content.units_up;
    made.units_failed = content.units_failed;
    made.shutdown_timeout_ms = content.shutdown_timeout_ms;
    std::copy_n(content.version.data(), std::min(content.version.size(), version_max), made.version.data());
    if (content.units_json.size() <= made.units.size()) {
        std::ranges::copy(content.units_json, made.units.data());
        made.units_length = static_cast<std::uint32_t>(content.units_json.size());
    }
    made.checksum = checksum_of(made);
    return made;
}

bool is_complete(const copy& read) {
    const std::string_view magic(read.magic.data(), read.magic.size());
    return magic == this_program.page_magic && read.format == format &&
           read.units_length <= read.units.size() && read.checksum == checksum_of(read) &&
           read.draining <= 1 && read.version.back() == '\0';
}

page_content decode(const copy& read) {
    page_content content;
    content.pid = read.pid;
    content.start_time = read.start_time;
    content.draining = read.draining != 0;
    content.started_at_ms = read.started_at_ms;
    content.version = read.version.data();
    content.units_total = read.units_total;
    content.units_up = read.units_up;
    content.units_failed = read.units_failed;
    content.shutdown_timeout_ms = read.shutdown_timeout_ms;
    content.units_json.assign(read.units.data(), read.units_length);
    return content;
}

bool is_ours(int fd) {
    struct stat status {};
    return ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == ::geteuid() &&
           status.st_size == static_cast<off_t>(status_page_size);
}

// What mapped_region maps: bip::file_mapping would open the file again, and without close-on-exec.
class mappable {
public:
    explicit mappable(int fd) : fd_(fd) {}
    bip::mapping_handle_t get_mapping_handle() const { return {fd_, false}; }
    bip::mode_t get_mode() const { return bip::read_write; }

private:
    int fd_;
};

// Makes a completely allocated file, or none. Empty and errno on failure.
util::unique_fd make_file(const std::string& path) {
    util::unique_fd fd = util::open_file(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (!fd) return fd;
    // Otherwise the first write to a hole on a full tmpfs would be SIGBUS.
    const int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(status_page_size));
    if (error == 0) return fd;
    ::unlink(path.c_str());
    errno = error;
    return {};
}

std::optional<copy> read_copy(int fd, std::size_t index) {
    copy read;
    const auto offset = static_cast<off_t>(index * copy_stride);
    ssize_t count = 0;
    do {
        count = ::pread(fd, &read, sizeof read, offset);
    } while (count < 0 && errno == EINTR);
    if (count != static_cast<ssize_t>(sizeof read) || !is_complete(read)) return std::nullopt;
    return read;
}

}  // namespace

struct status_page::mapping {
    bip::mapped_region region;
    util::unique_fd fd;
    std::string path;
    std::string temporary;  // empty after it was renamed
    std::uint64_t generation = 0;
};

status_page::status_page(std::unique_ptr<mapping> mapped) : mapping_(std::move(mapped)) {}
status_page::status_page(status_page&&) noexcept = default;

status_page& status_page::operator=(status_page&& other) noexcept {
    std::swap(mapping_, other.mapping_);
    return *this;
}

status_page::~status_page() {
    if (mapping_ && !mapping_->temporary.empty()) ::unlink(mapping_->temporary.c_str());
}

std::optional<status_page> status_page::create(const std::string& path) {
    const std::string temporary = path + ".new-" + std::to_string(::getpid());
    ::unlink(temporary.c_str());  // of an earlier process with this pid
    util::unique_fd fd = make_file(temporary);
    if (!fd) return std::nullopt;
    try {
        auto made = std::make_unique<mapping>();
        made->region = bip::mapped_region(mappable(fd.get()), bip::read_write, 0, status_page_size);
        made->fd = std::move(fd);
        made->path = path;
        made->temporary = temporary;
        return status_page(std::move(made));
    } catch (const bip::interprocess_exception& error) {
        ::unlink(temporary.c_str());
        errno = error.get_native_error();
        return std::nullopt;
    }
}

void status_page::write(const page_content& content) noexcept {
    if (!is_ours(mapping_->fd.get())) return;  // truncated: storing would be SIGBUS
    const std::uint64_t generation = ++mapping_->generation;
    const copy made = encode(content, generation);
    auto* target = static_cast<char*>(mapping_->region.get_address()) + generation % 2 * copy_stride;
    // A reader that overlaps with this sees a wrong checksum here, and the other copy complete. The magic is
    // removed first and restored last, so that a kill in between cannot leave a copy that only seems
    // complete.
    std::memset(target, 0, sizeof made.magic);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    std::memcpy(target + sizeof made.magic, reinterpret_cast<const char*>(&made) + sizeof made.magic,
                sizeof made - sizeof made.magic);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    std::memcpy(target, made.magic.data(), sizeof made.magic);
}

bool status_page::publish() noexcept {
    if (mapping_->temporary.empty()) return true;
    if (::rename(mapping_->temporary.c_str(), mapping_->path.c_str()) != 0) return false;
    mapping_->temporary.clear();
    return true;
}

std::optional<page_content> read_status_page(const std::string& path) noexcept {
    // Opening a fifo without O_NONBLOCK would wait for its writer.
    const util::unique_fd fd = util::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (!fd || !is_ours(fd.get())) return std::nullopt;
    // A writer that overtakes the reader twice can tear both copies. Another attempt is then enough in
    // practice.
    for (int attempt = 0; attempt < 3; ++attempt) {
        const auto first = read_copy(fd.get(), 0);
        const auto second = read_copy(fd.get(), 1);
        if (first && second) return decode(first->generation > second->generation ? *first : *second);
        if (first || second) return decode(first ? *first : *second);
    }
    return std::nullopt;
}

}  // namespace hob::ipc
