#include "unit/process/output_spool.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <utility>

#include "limits.hpp"

namespace hob::unit {
namespace {

constexpr std::uint32_t form = 0x68730001;  // of the file; another one means another form
// Multiples of any page size.
constexpr std::size_t control_size = 64u << 10;
constexpr std::size_t area_size = 128u << 10;
constexpr std::size_t file_size = control_size + output_spool::stream_count * 2 * area_size;

constexpr std::size_t small = 4u << 10;       // an area that is fuller is left when little would be copied
constexpr std::size_t little = 1u << 10;
constexpr std::size_t held_empty = 16u << 10;  // of an area, as memory for the next bytes

static_assert(area_size >= output_spool::chunk_size + limits::log_line_max);

constexpr std::size_t area_begin(std::size_t stream, std::size_t area) {
    return control_size + (stream * 2 + area) * area_size;
}

// The compiler must not move the stores before it behind those after it: another process sees the memory as
// it is when this one is killed.
void in_this_order() { std::atomic_signal_fence(std::memory_order_seq_cst); }

}  // namespace

struct output_spool::entry {
    struct stream {
        std::uint64_t base = 0;  // the offset of the first byte of its area
        std::uint64_t logged = 0;
        std::uint64_t line = 0;
        std::uint64_t area = 0;
    };
    stream streams[stream_count];
    util::file_position log;
};

struct output_spool::control {
    std::uint32_t form;
    volatile std::uint32_t current;  // the entry that counts
    volatile std::uint64_t is_read[stream_count];
    loff_t end[stream_count][2];  // where the next byte of an area goes, in the file; splice(2) writes it
    entry entries[2];
};

bool output_spool::map() {
    void* memory = ::mmap(nullptr, file_size, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
    if (memory == MAP_FAILED) return false;
    memory_ = static_cast<char*>(memory);
    ::madvise(memory, file_size, MADV_DONTFORK);
    return true;
}

std::shared_ptr<output_spool> output_spool::make() {
    util::unique_fd file(::memfd_create("output", MFD_CLOEXEC));
    if (!file || ::ftruncate(file.get(), file_size) != 0) return nullptr;
    std::shared_ptr<output_spool> made(new output_spool(std::move(file)));
    if (!made->map()) return nullptr;
    control& shared = made->shared();
    for (std::size_t stream = 0; stream < stream_count; ++stream)
        for (std::size_t area = 0; area < 2; ++area)
            shared.end[stream][area] = static_cast<loff_t>(area_begin(stream, area));
    shared.form = form;
    return made;
}

std::shared_ptr<output_spool> output_spool::adopt(util::unique_fd file) {
    struct stat facts {};
    if (!file || ::fstat(file.get(), &facts) != 0 || facts.st_size != static_cast<off_t>(file_size))
        return nullptr;
    std::shared_ptr<output_spool> found(new output_spool(std::move(file)));
    if (!found->map() || found->shared().form != form) return nullptr;
    for (std::size_t stream = 0; stream < stream_count; ++stream) {
        const std::size_t area = found->now().streams[stream].area;
        found->used_[stream][0] = found->used_[stream][1] = area_size;
        if (!found->shared().is_read[stream]) continue;
        found->find_read_bytes(stream);
        found->clear(stream, 1 - area);
    }
    return found;
}

output_spool::~output_spool() {
    if (memory_) ::munmap(memory_, file_size);
}

const output_spool::entry& output_spool::now() const { return shared().entries[shared().current]; }

template <typename Change>
void output_spool::publish(const Change& change) {
    control& all = shared();
    const std::uint32_t next = 1 - all.current;
    all.entries[next] = all.entries[1 - next];
    change(all.entries[next]);
    in_this_order();
    all.current = next;
    in_this_order();
}

std::uint64_t output_spool::taken(std::size_t stream) const {
    const auto& its = now().streams[stream];
    return its.base + static_cast<std::uint64_t>(shared().end[stream][its.area]) -
           area_begin(stream, its.area);
}

std::uint64_t output_spool::logged(std::size_t stream) const { return now().streams[stream].logged; }

std::string_view output_spool::bytes(std::size_t stream, std::uint64_t from, std::uint64_t to) const {
    const auto& its = now().streams[stream];
    return {memory_ + area_begin(stream, its.area) + (from - its.base), static_cast<std::size_t>(to - from)};
}

std::string_view output_spool::unlogged(std::size_t stream) const {
    return bytes(stream, logged(stream), taken(stream));
}

std::uint64_t output_spool::needed_from(std::size_t stream) const {
    const auto& its = now().streams[stream];
    const std::uint64_t end = taken(stream);
    const std::uint64_t oldest = end - std::min<std::uint64_t>(end, limits::log_line_max);
    return std::max(its.base, std::max(oldest, std::min(its.line, its.logged)));
}

std::string_view output_spool::unfinished_line(std::size_t stream) const {
    const std::uint64_t from = needed_from(stream);
    return bytes(stream, from, std::max(from, logged(stream)));
}

const util::file_position& output_spool::log() const { return now().log; }

void output_spool::set_log(const util::file_position& log) {
    publish([&](entry& next) { next.log = log; });
}

void output_spool::commit(std::size_t stream, std::uint64_t logged, std::uint64_t line,
                          const util::file_position& log) {
    const std::uint64_t end = taken(stream);
    publish([&](entry& next) {
        next.streams[stream].logged = std::min(logged, end);
        next.streams[stream].line = std::min(line, end);
        next.log = log;
    });
}

// Room for a chunk. Bytes that nobody logs are given up rather than the room.
void output_spool::make_room(std::size_t stream) {
    const auto its = now().streams[stream];
    const std::uint64_t end = taken(stream);
    const std::uint64_t from = needed_from(stream);
    const std::size_t fill = end - its.base;
    const std::size_t kept = end - from;
    const bool is_full = fill + chunk_size > area_size;
    if (!is_full && (fill < small || kept > little)) return;
    const std::size_t other = 1 - its.area;
    clear_if_due(stream, other);
    std::memcpy(memory_ + area_begin(stream, other), bytes(stream, from, end).data(), kept);
    shared().end[stream][other] = static_cast<loff_t>(area_begin(stream, other) + kept);
    used_[stream][other] = std::max(used_[stream][other], kept);
    publish([&](entry& next) {
        auto& here = next.streams[stream];
        here.area = other;
        here.base = from;
        here.logged = std::max(here.logged, from);
    });
    clear_if_due(stream, its.area);
}

// A stream that fills its pipe again and again needs the memory again at once.
void output_spool::clear_if_due(std::size_t stream, std::size_t area) {
    const bool holds_much = used_[stream][area] > held_empty && !is_busy_[stream];
    if (shared().is_read[stream] || holds_much) clear(stream, area);
}

void output_spool::clear(std::size_t stream, std::size_t area) {
    std::size_t& used = used_[stream][area];
    char* const begin = memory_ + area_begin(stream, area);
    if (used > small && ::madvise(begin, area_size, MADV_REMOVE) == 0) {
        used = 0;
    } else if (shared().is_read[stream]) {
        std::memset(begin, 0, std::exchange(used, 0));
    }
}

void output_spool::read_from_now_on(std::size_t stream) {
    const std::size_t area = now().streams[stream].area;
    const std::size_t begin = area_begin(stream, area);
    const std::size_t fill = static_cast<std::size_t>(shared().end[stream][area]) - begin;
    if (used_[stream][area] > fill) std::memset(memory_ + begin + fill, 0, used_[stream][area] - fill);
    std::memset(memory_ + area_begin(stream, 1 - area), 0, std::exchange(used_[stream][1 - area], 0));
    in_this_order();
    shared().is_read[stream] = 1;
    in_this_order();
}

// Those that the kernel had copied when the daemon was killed.
void output_spool::find_read_bytes(std::size_t stream) {
    const std::size_t area = now().streams[stream].area;
    const char* const begin = memory_ + shared().end[stream][area];
    const char* const area_end = memory_ + area_begin(stream, area) + area_size;
    const char* end = std::min(begin + chunk_size, area_end);
    while (end > begin && end[-1] == 0)
        --end;
    shared().end[stream][area] += end - begin;
}

ssize_t output_spool::take(std::size_t stream, int source, std::string_view& into) {
    make_room(stream);
    const std::size_t area = now().streams[stream].area;
    loff_t& end = shared().end[stream][area];
    const loff_t before = end;
    ssize_t n = -1;
    if (!shared().is_read[stream]) {
        do {
            n = ::splice(source, nullptr, file_.get(), &end, chunk_size, SPLICE_F_NONBLOCK);
        } while (n < 0 && errno == EINTR);
        // A terminal, or a kernel that refuses the call. Where it is the source that fails, read(2) says so.
        if (n < 0 && errno != EAGAIN) read_from_now_on(stream);
    }
    if (shared().is_read[stream]) {
        do {
            n = ::read(source, memory_ + before, chunk_size);
        } while (n < 0 && errno == EINTR);
        if (n > 0) end = before + n;
        in_this_order();
    }
    is_busy_[stream] = n == static_cast<ssize_t>(chunk_size);
    if (n <= 0) return n;
    const std::size_t fill = static_cast<std::size_t>(end) - area_begin(stream, area);
    used_[stream][area] = std::max(used_[stream][area], fill);
    into = {memory_ + before, static_cast<std::size_t>(n)};
    return n;
}

}  // namespace hob::unit
