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
#include "unit/config/key_readers.hpp"
#include "unit/config/syntax_scan.hpp"
#include "unit/config/unit_table.hpp"
#include "util/duration.hpp"
#include "util/fd.hpp"
#include "util/log/log.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

constexpr std::array kinds{unit_kind::worker, unit_kind::service, unit_kind::task};

// The keys of [daemon] or [log].
void read_section(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    table_reader section(at.value, inner_scope(at.key, in_file), fmt::format("[{}]", at.key.name),
                         at.table.faults());
    read_keys(section, at.draft);
}

void read_units(const key_context& at, unit_kind kind) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    for (const auto& member : at.value.members)
        read_unit(kind, member, at.draft, at.table.faults());
}

// A shutdown ends a stop that takes longer than itself.
void warn_of_long_stops(const config_draft& draft, problems& faults) {
    const milliseconds limit = draft.result.daemon.shutdown_timeout;
    bool by_default = false;
    for (const auto& unit : draft.units) {
        if (unit.spec.stop.timeout <= limit) continue;
        by_default = by_default || unit.stop_timeout.line == 0;
        if (unit.stop_timeout.line == 0) continue;
        faults.warning(
            unit.stop_timeout,
            fmt::format("'{}' may take {} to stop, but shutdown_timeout is {}: a shutdown ends it sooner",
                        unit.spec.name, util::format_duration(unit.spec.stop.timeout),
                        util::format_duration(limit)));
    }
    if (!by_default) return;
    faults.warning(
        draft.shutdown_timeout,
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

// Reads what the tree holds into the draft. Faults are noted.
void read_file(const tree_value& tree, config_draft& draft, problems& faults) {
    table_reader file(tree, {in_file, {}}, "the file", faults);
    read_keys(file, draft);
    std::stable_sort(draft.units.begin(), draft.units.end(),
                     [](const unit_draft& a, const unit_draft& b) { return a.where < b.where; });
    check_graph(draft.units, faults);
    warn_of_long_stops(draft, faults);
}

}  // namespace

void read_daemon_table(const key_context& at) { read_section(at); }

void read_log_table(const key_context& at) { read_section(at); }

void read_workers(const key_context& at) { read_units(at, unit_kind::worker); }

void read_services(const key_context& at) { read_units(at, unit_kind::service); }

void read_tasks(const key_context& at) { read_units(at, unit_kind::task); }

void read_shutdown_timeout(const key_context& at) {
    if (at.table.read(at.key, at.value, object_of<lifecycle::daemon_settings>(at).shutdown_timeout))
        at.draft.shutdown_timeout = at.value.where;
}

void read_log_level(const key_context& at) {
    std::string& level = object_of<lifecycle::log_settings>(at).level;
    if (!at.table.read(at.key, at.value, level)) return;
    if (const auto reason = util::bad_levels(level))
        at.table.reject(at.key, at.value.where, fmt::format("is not usable: {}", *reason));
}

void read_log_format(const key_context& at) {
    std::size_t word = 0;
    if (at.table.read_word(at.key, at.value, word)) object_of<lifecycle::log_settings>(at).json = word == 0;
}

config parse_config(std::string_view bytes, const std::string& path, const std::string& default_cwd) {
    config_draft draft;
    draft.result.source_path = absolute(path);
    draft.result.source_hash = util::sha256_hex(bytes);
    const std::string directory = directory_of(draft.result.source_path);
    draft.paths = {directory, default_cwd.empty() ? directory : default_cwd};
    problems faults;
    try {
        read_file(parse_tree(bytes), draft, faults);
    } catch (const syntax_error& error) {
        faults.error(error.where, error.what());
    }
    faults.throw_first(path);
    for (auto& unit : draft.units)
        draft.result.units.push_back(std::move(unit.spec));
    draft.result.warnings = faults.warnings(path);
    return std::move(draft.result);
}

config load_config(const std::string& path, uid_t owner, const std::string& default_cwd) {
    config result = parse_config(read_trusted_file(path, owner), path, default_cwd);
    for (unit_spec& spec : result.units) {
        if (spec.env_file) spec.env_file_text = read_trusted_env_file(*spec.env_file, owner);
    }
    return result;
}

bool env_files_unchanged(const config& applied) {
    return std::all_of(applied.units.begin(), applied.units.end(), [](const unit_spec& spec) {
        return !spec.env_file || read_any_file(*spec.env_file) == spec.env_file_text;
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
