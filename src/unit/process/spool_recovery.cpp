#include "unit/process/spool_recovery.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "util/fd.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t block_size = 64u << 10;

struct progress {
    std::array<std::uint64_t, output_spool::stream_count> logged{};
    std::array<std::uint64_t, output_spool::stream_count> line{};
};

// The bytes of the stream that a record has: its message, and the newline that ended it.
void add(progress& into, const util::log_record& record, std::int64_t run) {
    if (!record.understood || record.run != run) return;
    if (record.stream != "stdout" && record.stream != "stderr") return;
    const std::size_t stream = record.stream == "stdout" ? 0 : 1;
    into.logged[stream] += record.message.size() + (record.partial || !record.newline ? 0 : 1);
    if (!record.partial) into.line[stream] = into.logged[stream];
}

// Reads the records from `begin` on. Returns where the last whole one ends.
std::uint64_t read_records(int fd, std::uint64_t begin,
                           const std::function<void(const util::log_record&)>& take) {
    std::string rest;  // without its end
    std::uint64_t at = begin;
    std::string block(block_size, '\0');
    for (;;) {
        const ssize_t n = ::pread(fd, block.data(), block.size(), static_cast<off_t>(at));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return at - rest.size();
        at += static_cast<std::uint64_t>(n);
        rest.append(block, 0, static_cast<std::size_t>(n));
        std::size_t done = 0;
        for (auto end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', done)) {
            take(util::parse_log_record(std::string_view(rest).substr(done, end - done)));
            done = end + 1;
        }
        rest.erase(0, done);
    }
}

}  // namespace

bool recover_log(output_spool& spool, const std::string& path, std::int64_t run) {
    util::file_position log = spool.log();
    const util::unique_fd file = util::open_file(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    struct stat facts {};
    if (!file || ::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode)) return false;
    const bool same = facts.st_dev == log.device && facts.st_ino == log.inode;
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    if (!same || size <= log.size) return false;
    progress found;
    for (std::size_t stream = 0; stream < output_spool::stream_count; ++stream) {
        found.logged[stream] = spool.logged(stream);
        found.line[stream] = found.logged[stream] - spool.unfinished_line(stream).size();
    }
    log.size = read_records(file.get(), log.size,
                            [&](const util::log_record& record) { add(found, record, run); });
    const bool torn = log.size < size && ::ftruncate(file.get(), static_cast<off_t>(log.size)) == 0;
    for (std::size_t stream = 0; stream < output_spool::stream_count; ++stream) {
        if (found.logged[stream] != spool.logged(stream))
            spool.commit(stream, found.logged[stream], found.line[stream], log);
    }
    spool.set_log(log);
    return torn;
}

void read_last_records(const std::string& path, const std::function<void(const util::log_record&)>& take) {
    const util::unique_fd file = util::open_file(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat facts {};
    if (!file || ::fstat(file.get(), &facts) != 0) return;
    const auto size = static_cast<std::uint64_t>(facts.st_size);
    read_records(file.get(), size - std::min<std::uint64_t>(size, block_size), take);
}

}  // namespace hob::unit
