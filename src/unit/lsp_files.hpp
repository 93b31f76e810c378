#pragma once
// Which files of a project have changed since they were looked at last, told by their stat. Nothing is
// watched: looking is what a call does first, so that its answer is about what is on the disk then.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hob::unit {

// What stat says of a file's content.
struct file_state {
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    std::uint64_t size = 0;
    std::uint64_t inode = 0;
    bool operator==(const file_state&) const = default;
};

class lsp_files {
public:
    explicit lsp_files(std::string root) : root_(std::move(root)) {}

    enum class change_kind { created = 1, changed = 2, deleted = 3 };
    struct change {
        std::string path;  // absolute
        change_kind what;
    };
    // Since the last time; the first time there are none. Directories that begin with a dot, node_modules,
    // and those that hold a CMakeCache.txt are left out, and so is what is beyond limits::lsp_files_max.
    std::vector<change> look();

    const std::string& root() const { return root_; }

private:
    std::map<std::string, file_state> scan() const;

    std::string root_;
    std::map<std::string, file_state> known_;
    bool looked_ = false;
};

}  // namespace hob::unit
