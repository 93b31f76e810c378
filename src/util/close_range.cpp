#include "util/close_range.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace hob::util {
namespace {

// Of descriptors that are tried one by one: at least the first, since a caller can have lowered its limit
// after it opened them, and at most the second, the kernel's default of fs.nr_open.
constexpr rlim_t tried_at_least = 1u << 16;
constexpr rlim_t tried_at_most = 1u << 20;

int number_of(const char* name) {
    int number = 0;
    for (; *name >= '0' && *name <= '9'; ++name)
        number = number * 10 + (*name - '0');
    return *name == '\0' ? number : -1;
}

// opendir() would allocate. False: there is no list.
template <typename Each>
bool for_each_listed(int first, const Each& each) {
    const int list = ::open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (list < 0) return false;
    alignas(dirent64) char entries[4096];
    ssize_t size = 0;
    while ((size = ::getdents64(list, entries, sizeof entries)) > 0) {
        for (ssize_t at = 0; at < size;) {
            const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
            const int fd = number_of(entry->d_name);
            if (fd >= first && fd != list) each(fd);
            at += entry->d_reclen;
        }
    }
    ::close(list);
    return size == 0;
}

template <typename Each>
void for_each_from(int first, const Each& each) {
    if (for_each_listed(first, each)) return;
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_max = tried_at_most;
    const int end = static_cast<int>(std::clamp(limit.rlim_max, tried_at_least, tried_at_most));
    for (int fd = first; fd < end; ++fd)
        each(fd);
}

bool close_ranges_between(std::span<const int> kept) {
    unsigned next = 3;
    for (const int fd : kept) {
        if (fd < static_cast<int>(next)) continue;
        const auto number = static_cast<unsigned>(fd);
        if (number > next && ::close_range(next, number - 1, 0) != 0) return false;
        next = number + 1;
    }
    return ::close_range(next, ~0u, 0) == 0;
}

}  // namespace

void close_descriptors_except(std::span<const int> kept) {
    if (close_ranges_between(kept)) return;
    for_each_from(3, [kept](int fd) {
        if (!std::binary_search(kept.begin(), kept.end(), fd)) ::close(fd);
    });
}

void set_cloexec_from(int first) {
    if (::close_range(static_cast<unsigned>(first), ~0u, CLOSE_RANGE_CLOEXEC) == 0) return;
    for_each_from(first, [](int fd) { ::fcntl(fd, F_SETFD, FD_CLOEXEC); });
}

}  // namespace hob::util
