#pragma once
// The files that make up a configuration: hob.toml, hob.local.toml over it, and those that `include` names.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unit/config/problems.hpp"
#include "unit/config/toml_tree.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

struct included_tree {
    std::string prefix;
    std::string directory;  // absolute, real
    tree_value tree;
};

struct source_trees {
    tree_value main;  // hob.toml, with hob.local.toml merged over it
    std::vector<included_tree> included;
    std::vector<std::string> paths;  // by position::file
    std::vector<source_file> further;
};

// How the files other than hob.toml are read.
struct source_access {
    uid_t owner;       // of a file, or root, see read_trusted_file()
    bool local;        // hob.local.toml counts
    std::string root;  // absolute; included files lie below it
};

// `bytes`: those of `path`, which is absolute. Faults in them are noted. Throws failure for a file that
// cannot be read or trusted.
source_trees read_sources(std::string_view bytes, const std::string& path, const source_access& access,
                          problems& faults);

// "hob.local.toml" beside "hob.toml"; empty for a file of another name.
std::string local_path(const std::string& path);

// The same trees for looking at names: what cannot be read or parsed is left out. nullopt: `path` itself.
std::optional<source_trees> glance_at_sources(const std::string& path) noexcept;

}  // namespace hob::unit
