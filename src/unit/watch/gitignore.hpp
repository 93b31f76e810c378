#pragma once
// The rules of gitignore(5): the nested .gitignore files of a tree, and .git/info/exclude. Rules are read
// when they are first needed and cached until forget(). (libgit2 implements them, too; its static library in
// Debian also needs mbedtls, libssh2, PCRE2, zlib and http-parser.)

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "unit/watch/glob.hpp"

namespace hob::unit {

class gitignore {
public:
    // `root`: the folder that paths are relative to. Inside a repository, the .gitignore files of the folders
    // between `root` and the top of the repository apply, too.
    explicit gitignore(const std::string& root);

    bool ignores(std::string_view path, bool is_directory);
    void forget();  // drops the cache: files may have changed

private:
    struct rule {
        glob pattern;
        bool negated;
        bool directories_only;
    };
    using rules = std::vector<rule>;

    const rules& rules_of(const std::string& directory);  // relative to top_
    static rules read(const std::string& path);
    bool decision_of_rules(const std::string& path, bool is_directory);

    std::string top_;     // of the repository, or the root itself
    std::string prefix_;  // from there to the root, "" or with a slash at its end
    std::map<std::string, rules> read_;
};

}  // namespace hob::unit
