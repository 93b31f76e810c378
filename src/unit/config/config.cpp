#include "unit/config/config.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <optional>
#include <set>

#include "error.hpp"
#include "limits.hpp"
#include "unit/config/expansion.hpp"
#include "unit/config/file.hpp"
#include "unit/config/graph.hpp"
#include "unit/config/key_readers.hpp"
#include "unit/config/sources.hpp"
#include "unit/config/unit_table.hpp"
#include "util/duration.hpp"
#include "util/fd.hpp"
#include "util/log/log.hpp"
#include "util/real_path.hpp"
#include "util/sha256.hpp"

namespace hob::unit {
namespace {

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

// Inside an included file a bare name means its own unit first.
void resolve_within(const included_tree& file, unit_draft& unit,
                    const std::set<std::string, std::less<>>& own) {
    const auto resolve = [&](std::string& name) {
        if (own.contains(file.prefix + "." + name)) name = file.prefix + "." + name;
    };
    for (auto& name : unit.spec.after)
        resolve(name);
    for (auto& name : unit.spec.restart_with)
        resolve(name);
}

void refuse_keys_of_main_file(tree_value& tree, const std::string& prefix, problems& faults) {
    std::erase_if(tree.members, [&](const tree_member& member) {
        constexpr std::string_view refused[] = {"daemon", "log", "ports", "include"};
        if (std::find(std::begin(refused), std::end(refused), member.key) == std::end(refused)) return false;
        faults.error(member.where, fmt::format("an included file has no '{}'", member.key),
                     fmt::format("it belongs into the hob.toml that includes this file as '{}'", prefix));
        return true;
    });
}

void read_included(included_tree file, config_draft& draft, problems& faults) {
    const unit_base_paths outer = std::exchange(draft.paths, unit_base_paths{file.directory, file.directory});
    const std::size_t first = draft.units.size();
    draft.prefix = file.prefix + ".";
    draft.file_env.clear();
    const std::string root = util::real_path(outer.default_cwd);
    draft.pattern_base =
        file.directory.size() > root.size() ? file.directory.substr(root == "/" ? 1 : root.size() + 1) : "";
    refuse_keys_of_main_file(file.tree, file.prefix, faults);
    table_reader reader(file.tree, {in_file, {}}, "the included file", faults);
    read_keys(reader, draft);
    std::set<std::string, std::less<>> own;
    for (std::size_t i = first; i < draft.units.size(); ++i)
        own.insert(draft.units[i].spec.name);
    for (std::size_t i = first; i < draft.units.size(); ++i) {
        draft.units[i].spec.file_env = draft.file_env;
        resolve_within(file, draft.units[i], own);
    }
    draft.result.included.push_back({file.prefix, file.directory});
    draft.prefix.clear();
    draft.pattern_base.clear();
    draft.paths = outer;
}

// Only a request that names it starts it.
void drop_triggers(unit_spec& spec) {
    if (auto* service = std::get_if<service_spec>(&spec.detail)) {
        service->autostart = false;
    } else if (auto* task = std::get_if<task_spec>(&spec.detail)) {
        task->on_start = false;
        task->every.reset();
        task->cron.reset();
        spec.watch.patterns.clear();
    }
}

// Reads what the trees hold into the draft. Faults are noted.
void read_files(source_trees sources, config_draft& draft, problems& faults) {
    table_reader file(sources.main, {in_file, {}}, "the file", faults);
    read_keys(file, draft);
    for (auto& included : sources.included)
        read_included(std::move(included), draft, faults);
    std::stable_sort(draft.units.begin(), draft.units.end(),
                     [](const unit_draft& a, const unit_draft& b) { return a.where < b.where; });
    check_graph(draft.units, faults);
    warn_of_long_stops(draft, faults);
}

config parse_files(std::string_view bytes, const std::string& path, const std::string& default_cwd,
                   source_access access) {
    config_draft draft;
    draft.result.source_path = absolute(path);
    draft.result.source_hash = util::sha256_hex(bytes);
    const std::string directory = directory_of(draft.result.source_path);
    draft.paths = {directory, default_cwd.empty() ? directory : default_cwd};
    access.root = draft.paths.default_cwd;
    problems faults;
    source_trees sources = read_sources(bytes, draft.result.source_path, access, faults);
    draft.result.further = std::move(sources.further);
    faults.name_files(std::move(sources.paths));
    read_files(std::move(sources), draft, faults);
    faults.throw_first(path);
    for (auto& unit : draft.units) {
        unit.spec.shared_env = draft.result.env;
        if (!unit.spec.enabled) drop_triggers(unit.spec);
        draft.result.units.push_back(std::move(unit.spec));
    }
    draft.result.warnings = faults.warnings(path);
    return std::move(draft.result);
}

}  // namespace

void read_daemon_table(const key_context& at) { read_section(at); }

void read_log_table(const key_context& at) { read_section(at); }

void read_shared_env(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    for (const auto& member : at.value.members)
        read_variable(member, "[env]", at.table.faults(),
                      at.draft.prefix.empty() ? at.draft.result.env : at.draft.file_env);
}

// The files themselves were read before, see sources.hpp.
void read_include(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    for (const auto& [prefix, where, value] : at.value.members) {
        if (const std::string fault = unit_name_fault(prefix); !fault.empty()) {
            at.table.reject(at.key, where, fmt::format("has a prefix '{}' that {}", prefix, fault));
        } else if (value.kind != value_kind::string || value.text.empty() || !is_c_string(value.text)) {
            at.table.reject(at.key, value.where, fmt::format("has no path for '{}'", prefix),
                            "include = { web = \"apps/web/units.toml\" }");
        }
    }
}

void read_ports(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    for (const auto& [name, where, value] : at.value.members) {
        if (!is_variable_name(name)) {
            at.table.faults().error(where, fmt::format("'{}' in [ports] is no name of a variable", name),
                                    "letters, digits and '_', such as WEB_PORT");
        } else if (is_own_variable(name)) {
            at.table.faults().error(where, fmt::format("'{}' in [ports] is set by hob itself", name));
        } else if (value.kind != value_kind::integer || value.integer < 1 || value.integer > 65535) {
            at.table.faults().error(value.where,
                                    fmt::format("'{}' in [ports] must be a port from 1 to 65535", name));
        } else {
            at.draft.result.ports.emplace_back(name, static_cast<std::uint16_t>(value.integer));
        }
    }
}

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
    return parse_files(bytes, path, default_cwd, {::geteuid(), false, {}});
}

config load_config(const std::string& path, uid_t owner, const std::string& default_cwd) {
    config result = parse_files(read_trusted_file(path, owner), path, default_cwd, {owner, true, {}});
    for (unit_spec& spec : result.units) {
        for (env_file_spec& file : spec.env_files)
            file.text = read_env_file(file.path, directory_of(result.source_path), owner).text;
    }
    return result;
}

bool further_files_unchanged(const config& applied) {
    const auto unchanged = [](const source_file& file) {
        const auto bytes = read_any_file(file.path);
        return (bytes ? std::optional(util::sha256_hex(*bytes)) : std::nullopt) == file.hash;
    };
    return std::all_of(applied.further.begin(), applied.further.end(), unchanged);
}

bool env_files_unchanged(const config& applied) {
    // What cannot be seen is taken as it was.
    const auto unchanged = [&](const env_file_spec& file) {
        const auto now = read_env_file(file.path, directory_of(applied.source_path), std::nullopt);
        return now.error == ETIMEDOUT || now.text == file.text;
    };
    return std::all_of(applied.units.begin(), applied.units.end(), [&](const unit_spec& spec) {
        return std::all_of(spec.env_files.begin(), spec.env_files.end(), unchanged);
    });
}

std::string config_hash(const std::string& path, uid_t owner) {
    return util::sha256_hex(read_trusted_file(path, owner));
}

config default_config() { return {}; }

}  // namespace hob::unit
