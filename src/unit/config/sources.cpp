#include "unit/config/sources.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <exception>
#include <utility>

#include "error.hpp"
#include "identity.hpp"
#include "unit/config/file.hpp"
#include "unit/config/merge.hpp"
#include "unit/config/table_reader.hpp"
#include "unit/config/unit_table.hpp"
#include "util/real_path.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view local_name = "hob.local.toml";

std::string directory_of(const std::string& absolute_path) {
    const std::size_t slash = absolute_path.find_last_of('/');
    return slash == 0 ? "/" : absolute_path.substr(0, slash);
}

std::string_view name_of_file(std::string_view path) { return path.substr(path.rfind('/') + 1); }

void mark_file(tree_value& value, std::uint32_t file) {
    value.where.file = file;
    for (auto& item : value.items)
        mark_file(item, file);
    for (auto& member : value.members) {
        member.where.file = file;
        mark_file(member.value, file);
    }
}

const tree_value* value_of(const tree_value& table, std::string_view key) {
    for (const auto& member : table.members) {
        if (member.key == key) return &member.value;
    }
    return nullptr;
}

bool is_missing(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) != 0 && errno == ENOENT;
}

class sources_reader {
public:
    sources_reader(const source_access& access, problems& faults) : access_(access), faults_(faults) {}

    source_trees read(std::string_view bytes, const std::string& path) {
        result_.paths.push_back(path);
        result_.main = parse(bytes, 0);
        if (access_.local) merge_local(local_path(path));
        if (const tree_value* include = value_of(result_.main, "include"))
            read_included(tree_value(*include), directory_of(path));
        return std::move(result_);
    }

private:
    tree_value parse(std::string_view bytes, std::uint32_t file) {
        try {
            tree_value tree = parse_tree(bytes);
            if (file > 0) mark_file(tree, file);
            return tree;
        } catch (const syntax_error& error) {
            position where = error.where;
            where.file = file;
            faults_.error(where, error.what());
            return {};
        }
    }

    // A further file, which is read by the rule of hob.toml.
    tree_value read_further(const std::string& path) {
        const std::string bytes = read_trusted_file(path, access_.owner, {});
        result_.further.push_back({path, util::sha256_hex(bytes)});
        result_.paths.push_back(path);
        return parse(bytes, static_cast<std::uint32_t>(result_.paths.size() - 1));
    }

    void merge_local(const std::string& path) {
        if (path.empty()) return;
        if (is_missing(path)) {
            result_.further.push_back({path, std::nullopt});
        } else {
            merge_file(result_.main, read_further(path));
        }
    }

    // Wrong types are noted by the reader of the key.
    void read_included(const tree_value& include, const std::string& base) {
        if (include.kind != value_kind::table) return;
        for (const auto& [prefix, where, value] : include.members) {
            if (value.kind != value_kind::string || value.text.empty() || !is_c_string(value.text)) continue;
            include_file(prefix, resolve_path(value.text, base), value.where);
        }
    }

    void include_file(const std::string& prefix, const std::string& path, position where) {
        const std::string real = util::real_path(path);
        struct stat found {};
        if (::stat(real.c_str(), &found) != 0) {
            faults_.error(
                where, fmt::format("'include.{}' cannot be read: '{}': {}", prefix, path, errno_text(errno)));
        } else if (!util::is_within(real, util::real_path(access_.root))) {
            faults_.error(where, fmt::format("'include.{}' is outside of the project: '{}'", prefix, real),
                          "an included file lies below the directory of hob.toml");
        } else if (name_of_file(path) == this_program.config_file ||
                   name_of_file(real) == this_program.config_file) {
            faults_.error(where, fmt::format("'include.{}' is called hob.toml: '{}'", prefix, path),
                          "give it another name, such as units.toml: a hob.toml is a project of its own");
        } else {
            result_.included.push_back({prefix, directory_of(real), read_further(real)});
        }
    }

    const source_access& access_;
    problems& faults_;
    source_trees result_;
};

// The tree of a file as far as it can be read.
std::optional<tree_value> glance_at(const std::string& path) {
    const auto bytes = read_any_file(path);
    if (!bytes) return std::nullopt;
    try {
        return parse_tree(*bytes);
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace

std::string local_path(const std::string& path) {
    if (name_of_file(path) != this_program.config_file) return {};
    return path.substr(0, path.size() - name_of_file(path).size()) + std::string(local_name);
}

source_trees read_sources(std::string_view bytes, const std::string& path, const source_access& access,
                          problems& faults) {
    return sources_reader(access, faults).read(bytes, path);
}

std::optional<source_trees> glance_at_sources(const std::string& path) noexcept {
    try {
        auto main = glance_at(path);
        if (!main) return std::nullopt;
        source_trees found;
        found.main = std::move(*main);
        const std::string local = local_path(path);
        if (auto over = local.empty() ? std::nullopt : glance_at(local))
            merge_file(found.main, std::move(*over));
        const tree_value* include = value_of(found.main, "include");
        for (const auto& member : include ? include->members : std::vector<tree_member>()) {
            const std::string file = resolve_path(member.value.text, directory_of(path));
            if (auto tree = glance_at(file))
                found.included.push_back({member.key, directory_of(util::real_path(file)), std::move(*tree)});
        }
        return found;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

}  // namespace hob::unit
