#pragma once
// Whether files look as they did.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace hob::unit {

struct file_stamp {
    dev_t device = 0;  // all 0: there is no such file
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t modified_ns = 0, changed_ns = 0;
    bool operator==(const file_stamp&) const = default;
};

// By one stat(2).
file_stamp stamp_of(const std::string& path);
// Of an env_file, which may be on a file system that does not answer, see util/distant_file.hpp.
// `config_path`: of hob.toml.
file_stamp stamp_of_distant(const std::string& path, const std::string& config_path);

}  // namespace hob::unit
