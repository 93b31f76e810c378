#include "unit/config/table_reader.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "unit/config/words_elsewhere.hpp"
#include "util/duration.hpp"
#include "util/suggest.hpp"

namespace hob::unit {
namespace {

using std::chrono::milliseconds;

std::string did_you_mean(std::string_view word) { return fmt::format("did you mean '{}'?", word); }

std::string example_of(const config_key& key) {
    if (!key.example.empty()) return std::string(key.example);
    if (key.words != nullptr) return fmt::format("\"{}\"", key.words().front());
    return std::string(key.initial);
}

// The key of the scope that was probably meant; empty when there is none.
std::string_view key_meant_by(std::string_view word, key_scope scope) {
    std::vector<std::string_view> leaves;
    for (const config_key* key : keys_in(scope))
        leaves.push_back(leaf_of(*key));
    if (const auto near = util::nearest(word, leaves)) return *near;
    return key_for_synonym(word, scope);
}

}  // namespace

bool is_c_string(std::string_view text) { return text.find('\0') == std::string_view::npos; }

table_reader::table_reader(const tree_value& table, key_scope scope, std::string title, problems& faults)
    : table_(table), scope_(scope), title_(std::move(title)), faults_(faults) {}

std::string table_reader::inner_title(std::string_view leaf) const {
    return fmt::format("{}.{}]", std::string_view(title_).substr(0, title_.size() - 1), leaf);
}

const tree_value* table_reader::value(std::string_view leaf) const {
    for (const auto& member : table_.members) {
        if (member.key == leaf) return &member.value;
    }
    return nullptr;
}

void table_reader::reject(const config_key& key, position where, std::string_view reason,
                          std::string_view hint) {
    reject(leaf_of(key), where, reason, hint);
}

void table_reader::reject(std::string_view leaf, position where, std::string_view reason,
                          std::string_view hint) {
    faults_.error(where, fmt::format("'{}' in {} {}", leaf, title_, reason), hint);
}

void table_reader::warn_without_effect(std::string_view leaf, std::string_view missing) {
    if (const tree_value* present = value(leaf))
        faults_.warning(present->where,
                        fmt::format("'{}' in {} has no effect without {}", leaf, title_, missing));
}

bool table_reader::is(const config_key& key, const tree_value& value, value_kind kind) {
    if (value.kind == kind) return true;
    reject(key, value.where,
           fmt::format("must be {}, such as {}, not {}", described(kind), example_of(key),
                       described(value.kind)));
    return false;
}

bool table_reader::read(const config_key& key, const tree_value& value, std::string& out) {
    if (!is(key, value, value_kind::string)) return false;
    if (value.text.empty()) {
        reject(key, value.where, "is empty");
    } else if (!is_c_string(value.text)) {
        reject(key, value.where, "has a NUL byte in it");
    } else {
        out = value.text;
        return true;
    }
    return false;
}

bool table_reader::read(const config_key& key, const tree_value& value, bool& out) {
    if (value.kind == value_kind::boolean) {
        out = value.boolean;
        return true;
    }
    const bool quoted = value.text == "true" || value.text == "false";
    reject(key, value.where, fmt::format("must be true or false, not {}", described(value.kind)),
           quoted ? fmt::format("without quotes: {} = {}", leaf_of(key), value.text) : std::string());
    return false;
}

bool table_reader::read(const config_key& key, const tree_value& value, int& out) {
    if (!is(key, value, value_kind::integer)) return false;
    if (value.integer < key.least || value.integer > key.most) {
        reject(key, value.where,
               fmt::format("must be from {} to {}, not {}", key.least, key.most, value.integer));
        return false;
    }
    out = static_cast<int>(value.integer);
    return true;
}

bool table_reader::read(const config_key& key, const tree_value& value, milliseconds& out) {
    std::optional<milliseconds> found;
    if (read(key, value, found)) out = *found;
    return found.has_value();
}

bool table_reader::read(const config_key& key, const tree_value& value, std::optional<milliseconds>& out) {
    if (value.kind != value_kind::string) {
        const bool number = value.kind == value_kind::integer && value.integer > 0;
        reject(key, value.where,
               fmt::format("must be a duration, such as \"10s\", not {}", described(value.kind)),
               number ? fmt::format("did you mean \"{}s\"?", value.integer) : std::string());
        return false;
    }
    const auto parsed = util::parse_duration(value.text);
    if (!parsed) {
        reject(key, value.where, fmt::format("is not a duration: '{}'", value.text),
               "a duration is a number and its unit: \"250ms\", \"5s\", \"10m\", \"2h\", \"1d\", \"1m30s\"");
        return false;
    }
    if (parsed->count() < key.least) {
        reject(key, value.where,
               fmt::format("must be at least {}, not '{}'", util::format_duration(milliseconds(key.least)),
                           value.text));
        return false;
    }
    if (key.most != 0 && parsed->count() > key.most) {
        reject(key, value.where, fmt::format("must be at most {}s, not '{}'", key.most / 1000, value.text));
        return false;
    }
    out = *parsed;
    return true;
}

bool table_reader::read(const config_key& key, const tree_value& value, std::uint64_t& out) {
    if (value.kind != value_kind::string) {
        reject(key, value.where,
               fmt::format("must be a size, such as \"10MiB\", not {}", described(value.kind)));
        return false;
    }
    const auto parsed = util::parse_size(value.text);
    if (!parsed) {
        reject(key, value.where, fmt::format("is not a size: '{}'", value.text),
               "a size is a whole number and its unit: \"64KiB\", \"10MiB\", \"1GiB\", \"512B\", \"10MB\"");
        return false;
    }
    const auto least = static_cast<std::uint64_t>(key.least);
    if (*parsed < least) {
        reject(key, value.where,
               fmt::format("must be at least {}, not '{}'", util::format_size(least), value.text));
        return false;
    }
    out = *parsed;
    return true;
}

bool table_reader::read(const config_key& key, const tree_value& value, std::vector<std::string>& out) {
    if (!is(key, value, value_kind::array)) return false;
    std::vector<std::string> found;
    for (const auto& item : value.items) {
        if (item.kind != value_kind::string) {
            reject(key, item.where, fmt::format("must hold strings, not {}", described(item.kind)));
        } else if (item.text.empty()) {
            reject(key, item.where, "has an empty string in it");
        } else if (!is_c_string(item.text)) {
            reject(key, item.where, "has a NUL byte in it");
        } else {
            found.push_back(item.text);
        }
    }
    if (found.size() != value.items.size()) return false;
    out = std::move(found);
    return true;
}

bool table_reader::read_word(const config_key& key, const tree_value& value, std::size_t& index) {
    if (!is(key, value, value_kind::string)) return false;
    const auto words = key.words();
    const auto found = std::find(words.begin(), words.end(), value.text);
    if (found == words.end()) {
        reject(key, value.where,
               fmt::format("must be one of {}, not '{}'", fmt::join(words, " "), value.text),
               suggestion(value.text, words));
        return false;
    }
    index = static_cast<std::size_t>(found - words.begin());
    return true;
}

std::vector<std::string_view> table_reader::reject_unknown_keys() {
    const bool of_unit = (scope_.table & in_units) != 0 && scope_.prefix.empty();
    std::vector<std::string_view> meanings;
    for (const auto& member : table_.members) {
        if (find_key(scope_, member.key) != nullptr) continue;
        const std::string_view meant = key_meant_by(member.key, scope_);
        std::string hint = said_otherwise(member.key, scope_);
        if (hint.empty() && of_unit) hint = kinds_with(member.key);
        if (hint.empty() && !meant.empty()) hint = did_you_mean(meant);
        faults_.error(member.where, fmt::format("unknown key '{}' in {}", member.key, title_), hint);
        meanings.push_back(meant);
    }
    return meanings;
}

}  // namespace hob::unit
