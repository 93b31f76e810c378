#include "unit/config/unit_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "unit/config/kinds.hpp"
#include "unit/config/run_command.hpp"
#include "util/signal_name.hpp"

namespace hob::unit {
namespace {

constexpr std::size_t name_max = 64;

struct kind_key {
    std::string_view key;
    unit_kind kind;
};
// The keys of read_worker, read_service and read_task, for the hint when one stands in another kind's table.
constexpr std::array kind_keys{
    kind_key{"protocol", unit_kind::worker},     kind_key{"initialize", unit_kind::worker},
    kind_key{"idle_timeout", unit_kind::worker}, kind_key{"call_timeout", unit_kind::worker},
    kind_key{"connect", unit_kind::worker},      kind_key{"ready", unit_kind::service},
    kind_key{"restart", unit_kind::service},     kind_key{"max_restarts", unit_kind::service},
    kind_key{"backoff", unit_kind::service},     kind_key{"watchdog", unit_kind::service},
    kind_key{"autostart", unit_kind::service},   kind_key{"every", unit_kind::task},
    kind_key{"cron", unit_kind::task},           kind_key{"on_start", unit_kind::task},
    kind_key{"jitter", unit_kind::task},         kind_key{"catch_up", unit_kind::task},
    kind_key{"overlap", unit_kind::task},        kind_key{"timeout", unit_kind::task},
    kind_key{"retry", unit_kind::task},          kind_key{"keep", unit_kind::task},
    kind_key{"watch", unit_kind::task},          kind_key{"ignore", unit_kind::task},
    kind_key{"gitignore", unit_kind::task},      kind_key{"debounce", unit_kind::task},
};

std::string of_another_kind(std::string_view key) {
    for (const auto& row : kind_keys) {
        if (row.key == key)
            return fmt::format("only a {} has it: [{}.NAME]", name_of(row.kind), name_of(row.kind));
    }
    return {};
}

bool is_alphanumeric(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_name_char(char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; }

// Reason, or empty when the name is good.
std::string bad_name(const std::string& name) {
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

void read_env(table_reader& reader, unit_spec& spec) {
    constexpr std::array own{"HOB_INSTANCE", "HOB_UNIT", "HOB_RUN"};
    const tree_value* table = subtable(reader, "env", "{ NAME = \"value\" }");
    if (table == nullptr) return;
    for (const auto& [key, where, value] : table->members) {
        const std::string title = subtitle(reader, "env");
        if (key.empty() || !is_c_string(key) || key.find('=') != std::string::npos) {
            reader.notes().error(where, fmt::format("'{}' in {} is no name of a variable", key, title));
        } else if (std::find(own.begin(), own.end(), key) != own.end()) {
            reader.notes().error(where, fmt::format("'{}' in {} is set by hob itself", key, title));
        } else if (value.kind != value_kind::string) {
            const bool number = value.kind == value_kind::integer;
            reader.notes().error(
                value.where,
                fmt::format("'{}' in {} must be a string, not {}", key, title, described(value.kind)),
                number ? fmt::format("did you mean \"{}\"?", value.integer) : std::string());
        } else if (!is_c_string(value.text)) {
            reader.notes().error(value.where, fmt::format("'{}' in {} has a NUL byte in it", key, title));
        } else {
            spec.env.emplace_back(key, value.text);
        }
    }
}

std::optional<std::string> read_path(table_reader& reader, std::string_view key, const std::string& base,
                                     std::string_view example) {
    std::string text;
    const tree_value* value = reader.text(key, text, example);
    if (value == nullptr) return std::nullopt;
    if (text == "~" || text.starts_with("~/")) {
        reader.reject(key, value->where, fmt::format("is '{}', and '~' is not expanded", text),
                      "write the path out");
        return std::nullopt;
    }
    return resolve_path(text, base);
}

void read_stop(table_reader& unit, unit_draft& draft) {
    const tree_value* table = subtable(unit, "stop", "{ signal = \"TERM\", timeout = \"5s\" }");
    if (table == nullptr) return;
    table_reader reader(*table, subtitle(unit, "stop"), unit.notes());
    const tree_value* signal = reader.take("signal", value_kind::string, "\"TERM\"");
    if (signal != nullptr) {
        util::signal_error error;
        const auto number = util::parse_signal(signal->text, error);
        if (number) draft.spec.stop.signal = *number;
        if (!number) reader.reject("signal", signal->where, error.reason, error.hint);
    }
    const tree_value* timeout = reader.duration("timeout", draft.spec.stop.timeout);
    if (timeout != nullptr) draft.stop_timeout = timeout->where;
    reader.finish();
}

void read_after(table_reader& reader, unit_draft& draft) {
    const tree_value* value = reader.strings("after", draft.spec.after, "[\"db\"]");
    if (value == nullptr) return;
    for (const auto& item : value->items)
        draft.after.push_back(item.where);
}

void read_common(table_reader& reader, unit_draft& draft, const unit_places& places) {
    unit_spec& spec = draft.spec;
    read_env(reader, spec);
    spec.env_file = read_path(reader, "env_file", places.base, "\".env\"");
    spec.cwd = read_path(reader, "cwd", places.base, "\"server\"").value_or(places.cwd);
    read_stop(reader, draft);
    const choice<kill_scope> scopes[] = {{"all", kill_scope::all},
                                         {"group", kill_scope::group},
                                         {"main", kill_scope::main},
                                         {"mixed", kill_scope::mixed}};
    spec.kill = spec.kind == unit_kind::task ? kill_scope::group : kill_scope::all;
    reader.one_of("kill", spec.kill, scopes);
    read_after(reader, draft);
    spec.on_failure = read_command(reader, "on_failure", spec.name);
}

void read_detail(table_reader& reader, unit_spec& spec) {
    switch (spec.kind) {
        case unit_kind::worker:
            spec.detail = read_worker(reader);
            break;
        case unit_kind::service:
            spec.detail = read_service(reader, spec.name);
            break;
        case unit_kind::task:
            spec.detail = read_task(reader);
            break;
    }
}

}  // namespace

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

unit_draft read_unit(unit_kind kind, const tree_member& member, const unit_places& places, problems& notes) {
    unit_draft draft;
    draft.where = member.where;
    draft.spec.name = member.key;
    draft.spec.kind = kind;
    const std::string title = title_of(kind, member.key);
    if (const std::string reason = bad_name(member.key); !reason.empty()) {
        notes.error(member.where, fmt::format("the name of {} {}", title, reason));
    }
    if (member.value.kind != value_kind::table) {
        notes.error(member.value.where,
                    fmt::format("{} must be a table, not {}", title, described(member.value.kind)));
        return draft;
    }
    table_reader reader(member.value, title, notes);
    const bool has_run = std::any_of(member.value.members.begin(), member.value.members.end(),
                                     [](const tree_member& each) { return each.key == "run"; });
    draft.spec.run = read_command(reader, "run", member.key).value_or(run_spec());
    read_common(reader, draft, places);
    read_detail(reader, draft.spec);
    const auto meanings = reader.finish(of_another_kind);
    // A misspelt `run` says more than a missing one.
    if (!has_run && std::find(meanings.begin(), meanings.end(), "run") == meanings.end()) {
        notes.error(member.where, fmt::format("{} has no 'run'", title),
                    "run = \"command\" says what it executes");
    }
    return draft;
}

}  // namespace hob::unit
