#pragma once
// What git ignores: the .gitignore files of a tree, nested, and .git/info/exclude, by the rules of
// gitignore(5). Rules are read when they are first needed and kept until forget(). (libgit2 has these rules,
// too; its static library in Debian needs mbedtls, libssh2, PCRE2, zlib and http-parser with it.)

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "unit/watch/glob.hpp"

namespace hob::unit {

class gitignore {
public:
    // `root`: the folder that paths are relative to. Where it is part of a repository, the .gitignore files
    // of the folders above it, up to the repository's own, count as well.
    explicit gitignore(const std::string& root);

    bool ignores(std::string_view path, bool is_directory);
    void forget();  // files may have changed

private:
    struct rule {
        glob pattern;
        bool negated;
        bool directories_only;
    };
    using rules = std::vector<rule>;

    const rules& rules_of(const std::string& directory);  // relative to top_
    static rules read(const std::string& path);
    bool own_verdict(const std::string& path, bool is_directory);

    std::string top_;     // of the repository, or the root itself
    std::string prefix_;  // from there to the root, "" or with a slash at its end
    std::map<std::string, rules> read_;
};

}  // namespace hob::unit
