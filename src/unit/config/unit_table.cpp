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

std::string title_of(unit_kind kind, const std::string& name) {
    const bool bare = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_alphanumeric(c) || c == '_' || c == '-';
    });
    return bare ? fmt::format("[{}.{}]", name_of(kind), name)
                : fmt::format("[{}.\"{}\"]", name_of(kind), name);
}

// The value of a variable; nullopt: of another kind.
std::optional<std::string> text_of_variable(const tree_value& value) {
    if (value.kind == value_kind::string) return value.text;
    if (value.kind == value_kind::integer) return std::to_string(value.integer);
    if (value.kind == value_kind::boolean) return value.boolean ? "true" : "false";
    return std::nullopt;
}

std::optional<std::string> read_path(const key_context& at, const tree_value& value) {
    std::string text;
    if (!at.table.read(at.key, value, text)) return std::nullopt;
    if (text == "~" || text.starts_with("~/")) {
        at.table.reject(at.key, value.where, fmt::format("is '{}', and '~' is not expanded", text),
                        "write the path out");
        return std::nullopt;
    }
    return resolve_path(text, at.draft.paths.file_directory);
}

// "path" or { path = "path", required = false }
void read_env_file_entry(const key_context& at, const tree_value& entry) {
    auto& files = object_of<unit_spec>(at).env_files;
    if (entry.kind != value_kind::table) {
        if (const auto path = read_path(at, entry)) files.push_back({*path, true, {}});
        return;
    }
    env_file_spec file;
    bool understood = false;  // it has a path, or what was probably meant to be one
    for (const auto& [key, where, value] : entry.members) {
        if (key == "path") {
            file.path = read_path(at, value).value_or("");
            understood = true;
        } else if (key == "required" && value.kind == value_kind::boolean) {
            file.required = value.boolean;
        } else if (key == "required") {
            at.table.reject(
                at.key, value.where,
                fmt::format("has a 'required' that must be true or false, not {}", described(value.kind)));
        } else {
            understood = true;
            at.table.reject(at.key, where, fmt::format("has an unknown key '{}'", key),
                            "{ path = \".env.local\", required = false }");
        }
    }
    if (!understood) at.table.reject(at.key, entry.where, "has no 'path'");
    if (!file.path.empty()) files.push_back(std::move(file));
}

struct dependency {
    std::string unit;
    bool restart = false;
};

// "db" or { unit = "db", restart = true }
std::optional<dependency> read_dependency(const key_context& at, const tree_value& item) {
    constexpr std::string_view form = "{ unit = \"db\", restart = true }";
    dependency found;
    const tree_value* name = item.kind == value_kind::table ? nullptr : &item;
    for (const auto& [key, where, value] : item.members) {
        if (key == "unit") {
            name = &value;
        } else if (key == "restart" && value.kind == value_kind::boolean) {
            found.restart = value.boolean;
        } else {
            at.table.reject(at.key, where, fmt::format("has an unusable '{}'", key), form);
            return std::nullopt;
        }
    }
    if (name == nullptr) {
        at.table.reject(at.key, item.where, "has no 'unit'", form);
    } else if (name->kind != value_kind::string) {
        at.table.reject(at.key, name->where, fmt::format("must hold strings, not {}", described(name->kind)));
    } else if (name->text.empty()) {
        at.table.reject(at.key, name->where, "has an empty string in it");
    } else if (!is_c_string(name->text)) {
        at.table.reject(at.key, name->where, "has a NUL byte in it");
    } else {
        found.unit = name->text;
        return found;
    }
    return std::nullopt;
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
    if (const auto* task = std::get_if<task_spec>(&spec.detail)) check_task(table, *task);
    check_watch(table);
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

std::string unit_name_fault(const std::string& name) {
    if (name.empty()) return "is empty";
    if (name == "daemon") return "means hob's own daemon";
    if (name.size() > name_max) return fmt::format("is longer than {} characters", name_max);
    if (!is_alphanumeric(name[0])) return "must begin with a letter or digit";
    if (!std::all_of(name.begin(), name.end(), is_name_char))
        return "may have letters, digits, '.', '_' and '-' only";
    return {};
}

bool is_own_variable(std::string_view name) {
    return name.starts_with("HOB_") && name != "HOB_RUNTIME_DIR" && name != "HOB_STATE_DIR";
}

void read_variable(const tree_member& member, const std::string& title, problems& faults,
                   variable_list& variables) {
    const auto& [key, where, value] = member;
    const auto text = text_of_variable(value);
    if (key.empty() || !is_c_string(key) || key.find('=') != std::string::npos) {
        faults.error(where, fmt::format("'{}' in {} is no name of a variable", key, title));
    } else if (is_own_variable(key)) {
        faults.error(where, fmt::format("'{}' in {} is set by hob itself", key, title));
    } else if (!text) {
        const bool number = value.kind == value_kind::real;
        faults.error(value.where,
                     fmt::format("'{}' in {} must be a string, an integer or a boolean, not {}", key, title,
                                 described(value.kind)),
                     number ? "put it in quotes" : "");
    } else if (!is_c_string(*text)) {
        faults.error(value.where, fmt::format("'{}' in {} has a NUL byte in it", key, title));
    } else {
        variables.emplace_back(key, *text);
    }
}

void read_run(const key_context& at) { object_of<unit_spec>(at).run = read_command(at).value_or(run_spec()); }

void read_env(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::table)) return;
    const std::string title = at.table.inner_title(leaf_of(at.key));
    for (const auto& member : at.value.members)
        read_variable(member, title, at.table.faults(), object_of<unit_spec>(at).env);
}

void read_env_file(const key_context& at) {
    if (at.value.kind != value_kind::array) {
        read_env_file_entry(at, at.value);
        return;
    }
    for (const auto& entry : at.value.items)
        read_env_file_entry(at, entry);
}

void read_cwd(const key_context& at) {
    if (const auto path = read_path(at, at.value)) object_of<unit_spec>(at).cwd = *path;
}

void read_stop_signal(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::string)) return;
    util::signal_error error;
    const auto number = util::parse_signal(at.value.text, error);
    if (number) object_of<stop_spec>(at).signal = *number;
    if (!number) at.table.reject(at.key, at.value.where, error.reason, error.hint);
}

void read_stop_run(const key_context& at) { object_of<stop_spec>(at).run = read_command(at); }

void read_stop_timeout(const key_context& at) {
    if (at.table.read(at.key, at.value, object_of<stop_spec>(at).timeout))
        at.draft.units.back().stop_timeout = at.value.where;
}

void read_after(const key_context& at) {
    if (!at.table.is(at.key, at.value, value_kind::array)) return;
    for (const auto& item : at.value.items) {
        const auto entry = read_dependency(at, item);
        if (!entry) continue;
        unit_draft& unit = at.draft.units.back();
        unit.spec.after.push_back(entry->unit);
        unit.after.push_back(item.where);
        if (entry->restart) unit.spec.restart_with.push_back(entry->unit);
        if (entry->restart && unit.spec.kind == unit_kind::task)
            at.table.reject(at.key, item.where, "has 'restart', but a task is not restarted",
                            "services and workers are");
    }
}

void read_groups(const key_context& at) {
    auto& groups = object_of<unit_spec>(at).groups;
    if (!at.table.read(at.key, at.value, groups)) return;
    for (const auto& item : at.value.items) {
        if (unit_name_fault(item.text).empty()) continue;
        at.table.reject(at.key, item.where,
                        fmt::format("has a group that cannot be named so: '{}'", item.text),
                        "letters, digits, '.', '_' and '-'; without the '@'");
    }
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
    unit.spec.name = draft.prefix + member.key;
    unit.spec.cwd = draft.paths.default_cwd;
    set_kind(unit.spec, kind);
    const std::string title = title_of(kind, member.key);
    if (const std::string fault = unit_name_fault(unit.spec.name); !fault.empty())
        faults.error(member.where, fmt::format("the name of {} {}", title, fault));
    if (member.value.kind != value_kind::table) {
        faults.error(member.value.where,
                     fmt::format("{} must be a table, not {}", title, described(member.value.kind)));
        return;
    }
    read_unit_keys(member, title, draft, faults);
}

}  // namespace hob::unit
