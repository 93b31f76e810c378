#include "unit/config/file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>

#include "error.hpp"
#include "limits.hpp"
#include "unit/config/file_record.hpp"
#include "util/distant_file.hpp"
#include "util/fd.hpp"

namespace hob::unit {
namespace {

[[noreturn]] void unreadable(const std::string& path, const std::string& reason,
                             const std::string& hint = {}) {
    throw failure(error_kind::config, cannot("read", path), reason, hint);
}

const char* file_type_of(mode_t mode) {
    if (S_ISDIR(mode)) return "it is a directory";
    if (S_ISFIFO(mode)) return "it is a fifo";
    if (S_ISSOCK(mode)) return "it is a socket";
    return "it is a device";
}

util::unique_fd open_regular(const std::string& path, struct stat& facts, const std::string& hint) {
    // Without O_NONBLOCK, opening a fifo would wait for a writer.
    util::unique_fd fd = util::open_file(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!fd) {
        const int error = errno;
        if (error == ENXIO && ::stat(path.c_str(), &facts) == 0)
            unreadable(path, file_type_of(facts.st_mode));
        unreadable(path, errno_text(error), error == ENOENT ? hint : std::string());
    }
    if (::fstat(fd.get(), &facts) != 0) unreadable(path, errno_text(errno));
    if (!S_ISREG(facts.st_mode)) unreadable(path, file_type_of(facts.st_mode));
    return fd;
}

std::string too_large() { return fmt::format("it is larger than {} MiB", limits::config_file_max >> 20); }

std::string read_bounded(const std::string& path, int fd) {
    std::string bytes;
    char chunk[16384];
    for (;;) {
        const ssize_t n = ::read(fd, chunk, sizeof chunk);
        if (n == 0) return bytes;
        if (n < 0 && errno != EINTR) unreadable(path, errno_text(errno));
        if (n < 0) continue;
        bytes.append(chunk, static_cast<std::size_t>(n));
        if (bytes.size() > limits::config_file_max) unreadable(path, too_large());
    }
}

void check_trust(const std::string& path, const struct stat& facts, uid_t owner) {
    const unsigned mode = facts.st_mode & 07777;
    if (facts.st_uid != owner && facts.st_uid != 0) {
        throw failure(error_kind::untrusted_config, cannot("use", path),
                      fmt::format("it belongs to uid {} (mode {:04o}), neither to you (uid {}) nor to root",
                                  facts.st_uid, mode, owner),
                      "read it; if you want its commands run as you, use a copy of your own");
    }
    if ((mode & S_IWOTH) != 0) {
        throw failure(error_kind::untrusted_config, cannot("use", path),
                      fmt::format("everyone may write to it (uid {}, mode {:04o})", facts.st_uid, mode),
                      fmt::format("chmod o-w '{}'", path));
    }
}

}  // namespace

std::string read_trusted_file(const std::string& path, uid_t owner) {
    return read_trusted_file(path, owner, "hob init writes one");
}

std::string read_trusted_file(const std::string& path, uid_t owner, const std::string& hint) {
    if (const file_record* record = recorded_reading::from()) {
        if (auto bytes = record->bytes_of(path)) return *std::move(bytes);
        unreadable(path, errno_text(ENOENT), hint);
    }
    struct stat facts {};
    const util::unique_fd fd = open_regular(path, facts, hint);
    check_trust(path, facts, owner);
    std::string bytes = read_bounded(path, fd.get());
    if (file_record* record = recorded_reading::into()) record->add(path, bytes);
    return bytes;
}

env_file_reading read_env_file(const std::string& path, const std::string& near, std::optional<uid_t> owner) {
    if (const file_record* record = recorded_reading::from()) {
        if (auto bytes = record->bytes_of(path)) return {std::move(bytes)};
        return {std::nullopt, ENOENT, errno_text(ENOENT)};
    }
    auto file = util::read_distant_file(path, near, limits::config_file_max, limits::env_file_read);
    if (file.facts.st_mode != 0 && !S_ISREG(file.facts.st_mode))
        return {std::nullopt, file.error, file_type_of(file.facts.st_mode)};
    if (file.error == EFBIG) return {std::nullopt, EFBIG, too_large()};
    if (file.error == ETIMEDOUT) return {std::nullopt, ETIMEDOUT, "its file system does not answer"};
    if (file.error != 0) return {std::nullopt, file.error, errno_text(file.error)};
    if (owner) check_trust(path, file.facts, *owner);
    if (file_record* record = recorded_reading::into()) record->add(path, file.bytes);
    return {std::move(file.bytes)};
}

std::optional<std::string> read_any_file(const std::string& path) noexcept {
    if (const file_record* record = recorded_reading::from()) return record->bytes_of(path);
    try {
        struct stat facts {};
        const util::unique_fd fd = open_regular(path, facts, {});
        std::string bytes = read_bounded(path, fd.get());
        if (file_record* record = recorded_reading::into()) record->add(path, bytes);
        return bytes;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace hob::unit
