// `watch` of a service or a task, with the keys that belong to it.
#include <fmt/format.h>

#include <algorithm>

#include "unit/config/key_readers.hpp"
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

}  // namespace

void read_watch(const key_context& at) { read_patterns(at, object_of<watch_spec>(at).patterns); }

void read_ignore(const key_context& at) { read_patterns(at, object_of<watch_spec>(at).ignore); }

void check_watch(table_reader& table) {
    if (table.value("watch") != nullptr) return;
    for (const std::string_view leaf : {"ignore", "gitignore", "debounce"})
        table.warn_without_effect(leaf, "'watch'");
}

}  // namespace hob::unit
