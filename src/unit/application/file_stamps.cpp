#include "unit/application/file_stamps.hpp"

#include <sys/stat.h>

#include "limits.hpp"
#include "util/distant_file.hpp"

namespace hob::unit {
namespace {

std::int64_t nanoseconds(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

file_stamp stamp_with(const struct stat& facts) {
    return {facts.st_dev, facts.st_ino, facts.st_size, nanoseconds(facts.st_mtim),
            nanoseconds(facts.st_ctim)};
}

}  // namespace

file_stamp stamp_of(const std::string& path) {
    struct stat facts {};
    return ::stat(path.c_str(), &facts) == 0 ? stamp_with(facts) : file_stamp();
}

file_stamp stamp_of_distant(const std::string& path, const std::string& config_path) {
    const std::string near = config_path.substr(0, config_path.rfind('/'));
    const auto file = util::look_at_distant_file(path, near.empty() ? "/" : near, limits::env_file_read);
    return file.error == 0 ? stamp_with(file.facts) : file_stamp();
}

}  // namespace hob::unit
