#pragma once
// Which files below a root patterns cover, and whether one of them has changed: in its size, modification
// time, or the file that its name stands for.

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "unit/watch/gitignore.hpp"
#include "unit/watch/glob.hpp"

namespace hob::unit {

class watched_files {
public:
    using signature = std::tuple<ino_t, off_t, std::int64_t>;  // inode, size, modification time in ns
    using snapshot = std::map<std::string, signature>;         // by path, relative to the root

    // `patterns` and `ignored`: as in hob.toml, checked. `use_gitignore`: git's rules apply, and .git is left
    // out.
    watched_files(std::string root, const std::vector<std::string>& patterns,
                  const std::vector<std::string>& ignored, bool use_gitignore);

    bool covers(const std::string& path);
    bool may_cover_below(const std::string& dir);
    // The path is a .gitignore file whose rules are in use.
    bool is_rule_file(const std::string& path) const;
    void forget_rules();

    // A symbolic link to a folder inside the root that is not covered by its own path. Each such folder is
    // followed through one link only.
    bool follows(const std::string& link);
    void forget_link(const std::string& link);

    // Records the file as it is now. True: it differs from its record, or had none.
    bool update(const std::string& path);
    // Removes the records of the path, and of all below it.
    void remove(const std::string& path);
    // Lists all covered files, replaces the records by the list, and returns the paths that differ.
    std::vector<std::string> compare_all();

private:
    bool is_ignored(const std::string& path, bool directory);
    std::string full(const std::string& path) const { return path.empty() ? root_ : root_ + "/" + path; }
    std::optional<signature> read(const std::string& path) const;
    snapshot list();

    std::string root_;
    std::string real_root_;
    std::vector<glob> patterns_, ignored_;
    std::optional<gitignore> git_;
    snapshot known_;
    std::map<std::string, std::string> followed_;  // real path of a folder, the link to it
};

}  // namespace hob::unit
