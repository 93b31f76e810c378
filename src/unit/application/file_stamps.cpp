#include "unit/application/file_stamps.hpp"

#include <sys/stat.h>

namespace hob::unit {
namespace {

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::vector<file_stamp> stamps_of(const std::vector<std::string>& paths) {
    std::vector<file_stamp> stamps;
    stamps.reserve(paths.size());
    for (const auto& path : paths) {
        file_stamp& stamp = stamps.emplace_back();
        struct stat facts {};
        if (::stat(path.c_str(), &facts) != 0) continue;
        stamp.device = facts.st_dev;
        stamp.inode = facts.st_ino;
        stamp.size = facts.st_size;
        stamp.modified_ns = nanoseconds(facts.st_mtim);
        stamp.changed_ns = nanoseconds(facts.st_ctim);
    }
    return stamps;
}

}  // namespace hob::unit
