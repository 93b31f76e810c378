#pragma once
// Whether files look as they did, by one stat(2) each.

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

std::vector<file_stamp> stamps_of(const std::vector<std::string>& paths);

}  // namespace hob::unit
