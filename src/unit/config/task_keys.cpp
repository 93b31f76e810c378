// The keys that only tasks have.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "unit/config/key_readers.hpp"
#include "util/duration.hpp"
#include "util/path_pattern.hpp"

namespace hob::unit {
namespace {

// The path without its next "." or ".." at the start, which `base` takes up; false: there is none.
bool take_dots(std::string_view& pattern, std::string_view& base) {
    const std::string_view first = pattern.substr(0, pattern.find('/'));
    const bool upward = first == ".." && !base.empty();
    if (first != "." && !upward) return false;
    pattern.remove_prefix(std::min(first.size() + 1, pattern.size()));
    if (upward) base = base.substr(0, base.find('/') == std::string_view::npos ? 0 : base.rfind('/'));
    return true;
}

// The pattern, which is relative to `base`, relative to the root.
std::string pattern_from_root(std::string_view base, std::string_view pattern) {
    while (take_dots(pattern, base)) {
    }
    std::string from_root;
    for (const char c : base) {
        if (std::string_view("*?[]{}\\!~").find(c) != std::string_view::npos) from_root += '\\';
        from_root += c;
    }
    if (pattern.empty()) return from_root.empty() ? "." : from_root;
    return from_root.empty() ? std::string(pattern) : from_root + "/" + std::string(pattern);
}

// Those that are the same for every directory are errors by themselves.
bool is_relative(std::string_view pattern) {
    return !pattern.starts_with('/') && !pattern.starts_with('~') && !pattern.starts_with('!');
}

void read_patterns(const key_context& at, std::vector<std::string>& patterns) {
    if (!at.table.read(at.key, at.value, patterns)) return;
    const std::string& base = at.draft.pattern_base;
    for (std::size_t i = 0; i < patterns.size(); ++i) {
        const auto& item = at.value.items[i];
        if (!base.empty() && is_relative(patterns[i])) patterns[i] = pattern_from_root(base, patterns[i]);
        if (const auto expanded = util::expand_path_pattern(patterns[i]); !expanded.error.empty()) {
            at.table.reject(at.key, item.where,
                            fmt::format("has a pattern that {}: '{}'", expanded.error, item.text),
                            expanded.hint);
            continue;
        }
        const std::size_t open = item.text.find_last_of('[');
        const bool escaped = open != std::string::npos && open > 0 && item.text[open - 1] == '\\';
        if (open == std::string::npos || escaped || item.text.find(']', open) != std::string::npos) continue;
        at.table.reject(at.key, item.where, fmt::format("has a pattern with an open '[': '{}'", item.text));
    }
}

template <std::size_t Count>
void warn_without_effect(table_reader& table, const std::array<std::string_view, Count>& leaves,
                         std::string_view missing) {
    for (const std::string_view leaf : leaves) {
        const tree_value* value = table.value(leaf);
        if (value == nullptr) continue;
        table.faults().warning(
            value->where, fmt::format("'{}' in {} has no effect without {}", leaf, table.title(), missing));
    }
}

void check_schedule(table_reader& table, const task_spec& spec) {
    const tree_value* every = table.value("every");
    const tree_value* cron = table.value("cron");
    if (every != nullptr && cron != nullptr) {
        const bool every_first = every->where < cron->where;
        table.reject(every_first ? "cron" : "every", (every_first ? cron : every)->where,
                     fmt::format("cannot stand beside '{}'", every_first ? "every" : "cron"),
                     "a task has one schedule; make a second task of it");
    }
    const tree_value* jitter = table.value("jitter");
    if (jitter != nullptr && spec.every && spec.jitter >= *spec.every) {
        table.reject("jitter", jitter->where,
                     fmt::format("must be shorter than 'every' ({})", util::format_duration(*spec.every)));
    }
    if (cron == nullptr) warn_without_effect<1>(table, {"time_zone"}, "'cron'");
    if (every == nullptr && cron == nullptr)
        warn_without_effect<2>(table, {"jitter", "catch_up"}, "'every' or 'cron'");
}

}  // namespace

void read_cron(const key_context& at) {
    std::string text;
    if (!at.table.read(at.key, at.value, text)) return;
    cron_error error;
    auto& spec = object_of<task_spec>(at);
    spec.cron = parse_cron(text, error);
    if (!spec.cron)
        at.table.reject(at.key, at.value.where, fmt::format("('{}'): {}", text, error.reason), error.hint);
}

void read_time_zone(const key_context& at) {
    std::string name;
    if (!at.table.read(at.key, at.value, name)) return;
    util::time_zone_error error;
    auto& spec = object_of<task_spec>(at);
    spec.time_zone = util::find_time_zone(name, error);
    if (!spec.time_zone)
        at.table.reject(at.key, at.value.where, fmt::format("('{}') {}", name, error.reason), error.hint);
}

void read_watch(const key_context& at) { read_patterns(at, object_of<task_spec>(at).watch); }

void read_ignore(const key_context& at) { read_patterns(at, object_of<task_spec>(at).ignore); }

void check_task(table_reader& table, task_spec& spec) {
    check_schedule(table, spec);
    if (table.value("watch") == nullptr)
        warn_without_effect<3>(table, {"ignore", "gitignore", "debounce"}, "'watch'");
}

}  // namespace hob::unit
