#include "unit/config/unit_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>

#include "unit/config/key_context.hpp"
#include "unit/config/key_readers.hpp"
#include "unit/config/run_command.hpp"
#include "util/signal_name.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t name_max = 64;

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_char(char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; }

// What is wrong with a name; empty: it is good.
std::string name_fault(const std::string& name) {
    if (name.empty()) return "is empty";
    if (name == "daemon") return "means hob's own daemon";
    if (name.size() > name_max) return fmt::format("is longer than {} characters", name_max);
    if (!is_alphanumeric(name[0])) return "must begin with a letter or digit";
    if (!std::all_of(name.begin(), name.end(), is_name_char))
        return "may have letters, digits, '.', '_' and '-' only";
    return {};
}

std::string title_of(unit_kind kind, const std::string& name) {
    const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_alphanumeric(c) || c == '_' || c == '-';
    });
    return bare ? fmt::format("[{}.{}]", name_of(kind), name)
                : fmt::format("[{}.\"{}\"]", name_of(kind), name);
}

void read_variable(const tree_member& member, const std::string& title, problems& faults, unit_spec& spec) {
    const auto& [key, where, value] = member;
    if (key.empty() || !is_c_string(key) || key.find('=') != std::string::npos) {
        faults.error(where, fmt::format("'{}' in {} is no name of a variable", key, title));
    } else if (is_own_variable(key)) {
        faults.error(where, fmt::format("'{}' in {} is set by hob itself", key, title));
    } else if (value.kind != value_kind::string) {
        const bool number = value.kind == value_kind::integer;
        faults.error(value.where,
                     fmt::format("'{}' in {} must be a string, not {}", key, title, described(value.kind)),
                     number ? "put it in quotes" : "");
    } else if (!is_c_string(value.text)) {
        faults.error(value.where, fmt::format("'{}' in {} has a NUL byte in it", key, title));
    } else {
        spec.env.emplace_back(key, value.text);
    }
}

std::optional<std::string> read_path(const key_context& at) {
    std::string text;
    if (!at.table.read(at.key, at.value, text)) return std::nullopt;
    if (text == "~" || text.starts_with("~/")) {
        at.table.reject(at.key, at.value.where, fmt::format("is '{}', and '~' is not expanded", text),
                        "write the path out");
        return std::nullopt;
    }
    return resolve_path(text, at.draft.paths.file_directory);
}

void set_kind(unit_spec& spec, unit_kind kind) {
    spec.kind = kind;
    switch (kind) {
        case unit_kind::worker:
            spec.detail = worker_spec();
            break;
        case unit_kind::service:
            spec.detail = service_spec();
            break;
        case unit_kind::task:
            spec.detail = task_spec();
            spec.kill = kill_scope::group;
            break;
    }
}

void read_unit_keys(const tree_member& member, const std::string& title, config_draft& draft,
                    problems& faults) {
    unit_spec& spec = draft.units.back().spec;
    table_reader table(member.value, {table_of(spec.kind), {}}, title, faults);
    const auto meanings = read_keys(table, draft);
    if (auto* task = std::get_if<task_spec>(&spec.detail)) check_task(table, *task);
    const auto* worker = std::get_if<worker_spec>(&spec.detail);
    if (worker && worker->protocol->shares_helpers && table.value("kill") == nullptr)
        spec.kill = kill_scope::group;
    // A misspelt `run` says more than a missing one.
    if (table.value("run") == nullptr &&
        std::find(meanings.begin(), meanings.end(), "run") == meanings.end()) {
        faults.error(member.where, fmt::format("{} has no 'run'", title),
                     "run = \"command\" says what it executes");
    }
}

}  // namespace

bool is_own_variable(std::string_view name) {
    return name.starts_with("HOB_") && name != "HOB_RUNTIME_DIR" && name != "HOB_STATE_DIR";
}

void read_run(const key_context& at) { object_of<unit_spec>(at).run = read_command(at).value_or(run_spec()); }

void read_env(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    const std::string title = at.table.inner_title(leaf_of(at.key));
    for (const auto& member : at.value.members)
        read_variable(member, title, at.table.faults(), object_of<unit_spec>(at));
}

void read_env_file(const key_context& at) { object_of<unit_spec>(at).env_file = read_path(at); }

void read_cwd(const key_context& at) {
    if (const auto path = read_path(at)) object_of<unit_spec>(at).cwd = *path;
}

void read_stop_signal(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::string)) return;
    util::signal_error error;
    const auto number = util::parse_signal(at.value.text, error);
    if (number) object_of<stop_spec>(at).signal = *number;
    if (!number) at.table.reject(at.key, at.value.where, error.reason, error.hint);
}

void read_stop_timeout(const key_context& at) {
    if (at.table.read(at.key, at.value, object_of<stop_spec>(at).timeout))
        at.draft.units.back().stop_timeout = at.value.where;
}

void read_after(const key_context& at) {
    unit_draft& unit = at.draft.units.back();
    if (!at.table.read(at.key, at.value, unit.spec.after)) return;
    for (const auto& item : at.value.items)
        unit.after.push_back(item.where);
}

void read_on_failure(const key_context& at) { object_of<unit_spec>(at).on_failure = read_command(at); }

std::string resolve_path(std::string_view path, const std::string& base) {
    if (path.starts_with('/')) return std::string(path);
    while (path.starts_with("./")) {
        path.remove_prefix(2);
        while (path.starts_with('/'))
            path.remove_prefix(1);
    }
    if (path.empty() || path == ".") return base;
    return base + (base.ends_with('/') ? "" : "/") + std::string(path);
}

void read_unit(unit_kind kind, const tree_member& member, config_draft& draft, problems& faults) {
    unit_draft& unit = draft.units.emplace_back();
    unit.where = member.where;
    unit.spec.name = member.key;
    unit.spec.cwd = draft.paths.default_cwd;
    set_kind(unit.spec, kind);
    const std::string title = title_of(kind, member.key);
    if (const std::string fault = name_fault(member.key); !fault.empty())
        faults.error(member.where, fmt::format("the name of {} {}", title, fault));
    if (member.value.kind != value_kind::table) {
        faults.error(member.value.where,
                     fmt::format("{} must be a table, not {}", title, described(member.value.kind)));
        return;
    }
    read_unit_keys(member, title, draft, faults);
}

}  // namespace hob::unit
