#include "unit/process/daemon_lock.hpp"

#include <dirent.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <string_view>

#include "limits.hpp"
#include "util/fd.hpp"

namespace hob::unit {
namespace {

bool is_pid_file(const std::string& descriptor) {
    std::array<char, 4096> target{};
    const ssize_t size = ::readlink(descriptor.c_str(), target.data(), target.size());
    if (size <= 0) return false;
    std::string_view path(target.data(), static_cast<std::size_t>(size));
    constexpr std::string_view deleted = " (deleted)";
    if (path.ends_with(deleted)) path.remove_suffix(deleted.size());
    return path.ends_with(".pid");
}

// `fdinfo`: lines such as "lock:\t1: FLOCK  ADVISORY  WRITE 12 00:2d:34 0 EOF".
bool shows_both_locks(std::string_view fdinfo) {
    bool flock = false, range = false;
    while (!fdinfo.empty()) {
        const auto end = fdinfo.find('\n');
        const std::string_view line = fdinfo.substr(0, end);
        if (line.starts_with("lock:") && line.find(" WRITE ") != std::string_view::npos) {
            flock = flock || line.find(" FLOCK ") != std::string_view::npos;
            range = range || line.find(" OFDLCK ") != std::string_view::npos;
        }
        if (end == std::string_view::npos) break;
        fdinfo.remove_prefix(end + 1);
    }
    return flock && range;
}

}  // namespace

bool holds_daemon_lock(pid_t pid) {
    const std::string process = fmt::format("/proc/{}", pid);
    const std::unique_ptr<DIR, int (*)(DIR*)> descriptors(::opendir((process + "/fd").c_str()), ::closedir);
    if (!descriptors) return errno != ENOENT;
    while (const dirent* entry = ::readdir(descriptors.get())) {
        if (!is_pid_file(process + "/fd/" + entry->d_name)) continue;
        const auto info = util::read_file(process + "/fdinfo/" + entry->d_name, limits::small_file_max);
        if (info && shows_both_locks(*info)) return true;
    }
    return false;
}

}  // namespace hob::unit
