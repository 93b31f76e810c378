#include "unit/config/config.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <optional>

#include "error.hpp"
#include "limits.hpp"
#include "unit/config/file.hpp"
#include "unit/config/graph.hpp"
#include "unit/config/kinds.hpp"
#include "unit/config/syntax_scan.hpp"
#include "unit/config/unit_table.hpp"
#include "util/duration.hpp"
#include "util/fd.hpp"
#include "util/log.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

constexpr std::uint64_t log_size_min = 4u << 10;
constexpr int log_files_max = 1000;
constexpr std::array kinds{unit_kind::worker, unit_kind::service, unit_kind::task};

position read_daemon(table_reader& root, daemon_spec& spec) {
    const tree_value* table = subtable(root, "daemon", "[daemon]");
    if (table == nullptr) return {};
    table_reader reader(*table, "[daemon]", root.notes());
    reader.duration("idle_timeout", spec.idle_timeout);
    const tree_value* shutdown = reader.duration("shutdown_timeout", spec.shutdown_timeout, milliseconds(1));
    if (shutdown != nullptr && spec.shutdown_timeout > limits::shutdown_timeout_max) {
        reader.reject("shutdown_timeout", shutdown->where,
                      fmt::format("must be at most {}s, not '{}'",
                                  limits::shutdown_timeout_max.count() / 1000, shutdown->text));
    }
    reader.finish();
    return shutdown == nullptr ? position() : shutdown->where;
}

void read_log(table_reader& root, log_spec& spec) {
    const tree_value* table = subtable(root, "log", "[log]");
    if (table == nullptr) return;
    table_reader reader(*table, "[log]", root.notes());
    if (const tree_value* level = reader.text("level", spec.level, "\"info\"")) {
        if (const auto reason = util::bad_levels(spec.level)) {
            reader.reject("level", level->where, fmt::format("is not usable: {}", *reason));
        }
    }
    const choice<bool> formats[] = {{"json", true}, {"text", false}};
    reader.one_of("format", spec.json, formats);
    reader.size("max_size", spec.max_size, log_size_min);
    reader.integer("max_files", spec.max_files, 1, log_files_max);
    reader.boolean("syslog", spec.syslog);
    reader.finish();
}

std::vector<unit_draft> read_units(table_reader& root, const unit_places& places) {
    std::vector<unit_draft> drafts;
    for (const unit_kind kind : kinds) {
        const tree_value* table = subtable(root, name_of(kind), fmt::format("[{}.NAME]", name_of(kind)));
        if (table == nullptr) continue;
        for (const auto& member : table->members) {
            drafts.push_back(read_unit(kind, member, places, root.notes()));
        }
    }
    std::stable_sort(drafts.begin(), drafts.end(),
                     [](const unit_draft& a, const unit_draft& b) { return a.where < b.where; });
    return drafts;
}

// A shutdown cannot wait longer than it may take itself.
void warn_of_long_stops(const std::vector<unit_draft>& drafts, milliseconds limit, position limit_at,
                        problems& notes) {
    bool by_default = false;
    for (const auto& draft : drafts) {
        if (draft.spec.stop.timeout <= limit) continue;
        by_default = by_default || draft.stop_timeout.line == 0;
        if (draft.stop_timeout.line == 0) continue;
        notes.warning(
            draft.stop_timeout,
            fmt::format("'{}' may take {} to stop, but shutdown_timeout is {}: a shutdown ends it sooner",
                        draft.spec.name, util::format_duration(draft.spec.stop.timeout),
                        util::format_duration(limit)));
    }
    if (!by_default) return;
    notes.warning(
        limit_at,
        fmt::format("shutdown_timeout is {}, shorter than the {} that units without a stop timeout have",
                    util::format_duration(limit), util::format_duration(limits::stop_timeout)));
}

std::string absolute(const std::string& path) {
    if (path.starts_with('/')) return path;
    std::string here(4096, '\0');
    while (::getcwd(here.data(), here.size()) == nullptr) {
        if (errno != ERANGE) throw denied("find", "the current directory", errno);
        here.resize(here.size() * 2);
    }
    here.resize(here.find('\0'));
    return resolve_path(path, here);
}

std::string directory_of(const std::string& absolute_path) {
    const std::size_t slash = absolute_path.find_last_of('/');
    return slash == 0 ? "/" : absolute_path.substr(0, slash);
}

std::optional<unit_kind> kind_named(std::string_view name) {
    for (const unit_kind kind : kinds) {
        if (name_of(kind) == name) return kind;
    }
    return std::nullopt;
}

using named_kinds = std::vector<std::pair<std::string, unit_kind>>;

named_kinds names_in_tree(const tree_value& root) {
    std::vector<std::pair<position, std::pair<std::string, unit_kind>>> found;
    for (const auto& member : root.members) {
        const auto kind = kind_named(member.key);
        if (!kind) continue;
        for (const auto& unit : member.value.members)
            found.push_back({unit.where, {unit.key, *kind}});
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    named_kinds names;
    for (auto& [where, name] : found)
        names.push_back(std::move(name));
    return names;
}

named_kinds names_in_headers(std::string_view bytes) {
    named_kinds names;
    for (auto& [kind_name, name] : scan_headers(bytes)) {
        const auto kind = kind_named(kind_name);
        if (!kind || name.empty()) continue;
        std::pair<std::string, unit_kind> row{std::move(name), *kind};
        if (std::find(names.begin(), names.end(), row) == names.end()) names.push_back(std::move(row));
    }
    return names;
}

}  // namespace

config parse_config(std::string_view bytes, const std::string& path, const std::string& default_cwd) {
    config result;
    result.source_path = absolute(path);
    result.source_hash = util::sha256_hex(bytes);
    problems notes;
    try {
        const tree_value tree = parse_tree(bytes);
        table_reader root(tree, "the file", notes);
        const position limit_at = read_daemon(root, result.daemon);
        read_log(root, result.log);
        const std::string base = directory_of(result.source_path);
        std::vector<unit_draft> drafts = read_units(root, {base, default_cwd.empty() ? base : default_cwd});
        root.finish();
        check_graph(drafts, notes);
        warn_of_long_stops(drafts, result.daemon.shutdown_timeout, limit_at, notes);
        for (auto& draft : drafts)
            result.units.push_back(std::move(draft.spec));
    } catch (const syntax_error& error) {
        notes.error(error.where, error.what());
    }
    notes.throw_first(path);
    result.warnings = notes.warnings(path);
    return result;
}

config load_config(const std::string& path, uid_t owner, const std::string& default_cwd) {
    config result = parse_config(read_trusted_file(path, owner), path, default_cwd);
    for (unit_spec& spec : result.units) {
        if (spec.env_file) spec.env_file_text = util::read_file(*spec.env_file, limits::config_file_max);
    }
    return result;
}

bool env_files_unchanged(const config& applied) {
    return std::all_of(applied.units.begin(), applied.units.end(), [](const unit_spec& spec) {
        return !spec.env_file ||
               util::read_file(*spec.env_file, limits::config_file_max) == spec.env_file_text;
    });
}

std::string config_hash(const std::string& path, uid_t owner) {
    return util::sha256_hex(read_trusted_file(path, owner));
}

config default_config() { return {}; }

std::vector<std::pair<std::string, unit_kind>> unit_names(const std::string& path) {
    const auto bytes = read_any_file(path);
    if (!bytes) return {};
    try {
        return names_in_tree(parse_tree(*bytes));
    } catch (const std::exception&) {
        return names_in_headers(*bytes);
    }
}

}  // namespace hob::unit
