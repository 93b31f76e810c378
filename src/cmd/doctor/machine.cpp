#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

#include "cmd/doctor/checks.hpp"
#include "error.hpp"
#include "util/fd.hpp"
#include "util/system_calls.hpp"

namespace hob::cmd {
namespace {

constexpr std::uint64_t mebibyte = 1u << 20;
constexpr std::uint64_t space_needed = 8 * mebibyte;         // a database, a page and some lines of log
constexpr std::uint64_t space_recommended = 128 * mebibyte;  // log files of the default sizes
constexpr rlim_t descriptors_needed = 64;
constexpr rlim_t descriptors_recommended = 1024;
constexpr long watches_recommended = 8192;  // one a directory

long number_in(const char* path) {
    const auto text = util::read_file(path, 64);
    return text ? std::strtol(text->c_str(), nullptr, 10) : -1;
}

std::uint64_t free_bytes(const std::string& directory) {
    struct statvfs found {};
    if (::statvfs(directory.c_str(), &found) != 0) return UINT64_MAX;
    return static_cast<std::uint64_t>(found.f_bavail) * found.f_frsize;
}

}  // namespace

finding check_disk_space(const lifecycle::instance& where) {
    const std::string check = "disk-space";
    health worst = health::ok;
    std::string message;
    for (const auto& path : {where.state_dir(), where.runtime_dir}) {
        const std::string directory = existing_ancestor(path);
        const std::uint64_t bytes = free_bytes(directory);
        // The runtime directory holds only a socket, a pid file and a page, often on a small tmpfs.
        const bool state = path == where.state_dir();
        const std::uint64_t needed = state ? space_needed : mebibyte / 4;
        const health state_here = bytes < needed                       ? health::fail
                                  : state && bytes < space_recommended ? health::warn
                                                                       : health::ok;
        worst = std::max(worst, state_here);
        if (!message.empty()) message += ", ";
        message += fmt::format("{} MiB free at {}", bytes / mebibyte, directory);
    }
    return {check, worst, message,
            worst == health::ok ? "" : "make room: without any, logs and runs are lost"};
}

finding check_inotify() {
    const std::string check = "inotify";
    const util::unique_fd fd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    const int error = errno;
    const long instances = number_in("/proc/sys/fs/inotify/max_user_instances");
    if (!fd && util::is_refusal(error)) {
        return {
            check, health::warn, fmt::format("not available ({})", errno_text(error)),
            "allow inotify; until then files are compared at intervals, and a moved project is not noticed"};
    }
    if (!fd) {
        return {check, health::warn,
                fmt::format("not available ({}, {} instances for each user)", errno_text(error), instances),
                "sysctl fs.inotify.max_user_instances=1024; until then a moved project is not noticed"};
    }
    const long watches = number_in("/proc/sys/fs/inotify/max_user_watches");
    if (watches >= 0 && watches < watches_recommended) {
        return {check, health::warn, fmt::format("only {} watches for each user", watches),
                fmt::format("sysctl fs.inotify.max_user_watches={}", 64 * watches_recommended)};
    }
    if (watches < 0) return {check, health::ok, "available, its limits are not known", ""};
    return {check, health::ok, fmt::format("{} instances, {} watches for each user", instances, watches), ""};
}

finding check_descriptors() {
    const std::string check = "descriptors";
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    const health state = limit.rlim_max < descriptors_needed        ? health::fail
                         : limit.rlim_max < descriptors_recommended ? health::warn
                                                                    : health::ok;
    return {check, state, fmt::format("{} may be open, {} once raised", limit.rlim_cur, limit.rlim_max),
            state == health::ok ? "" : "raise the hard limit: ulimit -Hn 4096, or limits.conf(5)"};
}

finding check_priority() {
    const std::string check = "priority";
    errno = 0;
    const int nice = ::getpriority(PRIO_PROCESS, 0);
    if (nice <= 0) return {check, health::ok, "normal", ""};
    rlimit limit{};
    ::getrlimit(RLIMIT_NICE, &limit);
    // A hard limit of 20 allows nice 0.
    if (limit.rlim_max >= 20 || ::geteuid() == 0) {
        return {check, health::ok, fmt::format("nice {} here, which a daemon undoes", nice), ""};
    }
    return {check, health::warn, fmt::format("nice {} here, which a daemon started from here keeps", nice),
            "start it from elsewhere: hob restart --daemon"};
}

}  // namespace hob::cmd
