#include "cmd/help/key_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <vector>

#include "cmd/core/help_text.hpp"
#include "unit/config/toml_to_json.hpp"
#include "util/duration.hpp"
#include "util/json/json_writer.hpp"

namespace hob::cmd {
namespace {

using unit::config_key;
using unit::key_presence;
using unit::named_key;
using unit::value_type;

constexpr std::string_view heading = "1";

std::vector<unsigned> tables_of(const named_key& named) {
    std::vector<unsigned> tables;
    for (unsigned table = unit::in_file; table <= unit::in_task; table <<= 1) {
        if ((named.tables & table) != 0) tables.push_back(table);
    }
    return tables;
}

// "[daemon]", "[service.NAME]"
std::string header_of(unsigned table) {
    if (table == unit::in_file) return "the file itself, above its first table, or as a table of its own";
    const bool of_units = (table & unit::in_units) != 0;
    return fmt::format("[{}{}]", unit::table_name(table), of_units ? ".NAME" : "");
}

// The keys of the table that this key stands for.
std::vector<const config_key*> inner_keys(const named_key& named) {
    return unit::keys_in(unit::inner_scope(*named.key, tables_of(named).front()));
}

std::string bounds_of(const config_key& key) {
    if (key.type == value_type::integer) return fmt::format("from {} to {}", key.least, key.most);
    if (key.type == value_type::size)
        return fmt::format("at least {}", util::format_size(static_cast<std::uint64_t>(key.least)));
    if (key.type == value_type::duration && key.most != 0)
        return fmt::format("at most {}", util::format_duration(std::chrono::milliseconds(key.most)));
    return {};
}

std::string type_line(const config_key& key) {
    std::string text(unit::type_name(key.type));
    if (const auto help = unit::type_help(key.type); !help.empty()) text += fmt::format(": {}", help);
    if (const std::string bounds = bounds_of(key); !bounds.empty()) text += ", " + bounds;
    return text;
}

std::string default_line(const config_key& key, bool has_inner_keys) {
    if (!key.initial.empty()) return std::string(key.initial);
    if (key.presence == key_presence::required) return "none; this key is required";
    if (!key.absent.empty()) return fmt::format("none; {}", key.absent);
    const bool of_its_keys = has_inner_keys && key.type == value_type::table;
    return of_its_keys ? "those of its keys" : "none";
}

// The other keys of its table that it excludes; empty: none.
std::string excluded_line(const named_key& named) {
    const config_key& key = *named.key;
    if (key.presence != key_presence::alternative && key.presence != key_presence::exclusive) return {};
    const std::size_t dot = key.name.rfind('.');
    const std::string_view prefix = dot == std::string_view::npos ? "" : key.name.substr(0, dot);
    std::vector<std::string_view> names;
    for (const config_key* other : unit::keys_in({tables_of(named).front(), prefix})) {
        if (other->presence == key.presence && other != &key) names.push_back(other->name);
    }
    return fmt::format("not together with {}", fmt::join(names, ", "));
}

std::vector<help_line> facts_of(const named_key& named, bool has_inner_keys) {
    const config_key& key = *named.key;
    std::vector<std::string> headers;
    for (const unsigned table : tables_of(named))
        headers.push_back(header_of(table));
    std::vector<help_line> lines{{"in", fmt::format("{}", fmt::join(headers, ", "))},
                                 {"type", type_line(key)}};
    if (key.words != nullptr) lines.push_back({"values", fmt::format("{}", fmt::join(key.words(), ", "))});
    lines.push_back({"default", default_line(key, has_inner_keys)});
    if (auto excluded = excluded_line(named); !excluded.empty())
        lines.push_back({"exclusive", std::move(excluded)});
    if (!key.example.empty()) lines.push_back({"example", fmt::format("{} = {}", key.name, key.example)});
    return lines;
}

std::string key_text(const named_key& named, const terminal& out) {
    const config_key& key = *named.key;
    const auto inner = inner_keys(named);
    std::string text = wrapped(fmt::format("{}: {}", key.name, key.help), 0, out.columns) + "\n";
    const bool only_a_header = named.tables == unit::in_file && !inner.empty();
    if (!only_a_header) text += "\n" + help_columns(facts_of(named, !inner.empty()), out);
    if (inner.empty()) return text;
    std::vector<help_line> lines;
    for (const config_key* each : inner)
        lines.push_back({std::string(each->name), std::string(each->help)});
    return text + "\n" + paint("Keys:", heading, out.color) + "\n" + help_columns(lines, out);
}

util::json_object key_json(const named_key& named) {
    const config_key& key = *named.key;
    util::json_array tables, words;
    for (const unsigned table : tables_of(named))
        tables.add(unit::table_name(table));
    if (key.words != nullptr) {
        for (const std::string_view word : key.words())
            words.add(word);
    }
    util::json_object object;
    object.add("key", key.name).add("tables", tables).add("type", unit::type_name(key.type));
    if (key.words != nullptr) object.add("values", words);
    const std::string initial = key.initial.empty() ? "null" : unit::value_to_json(key.initial);
    return object.add("default", util::raw_json{initial})
        .add("required", key.presence == key_presence::required)
        .add("help", key.help);
}

}  // namespace

std::string keys_text(std::span<const named_key> keys, const terminal& out) {
    std::string text;
    for (const auto& each : keys)
        text += key_text(each, out) + "\n";
    return text + "More: man hob.toml\n";
}

std::string keys_json(std::span<const named_key> keys) {
    util::json_array array;
    for (const auto& each : keys)
        array.add(key_json(each));
    return std::move(array).text();
}

std::string keys_beside_verb(std::string_view verb, const terminal& out) {
    std::vector<help_line> lines;
    for (const auto& named : unit::keys_named(verb)) {
        if (named.key->name != verb) continue;
        if (named.tables != unit::in_file) {
            const unsigned table = tables_of(named).front();
            lines.push_back({"hob help " + unit::full_name(*named.key, table), std::string(named.key->help)});
            continue;
        }
        const unsigned table = unit::inner_scope(*named.key, unit::in_file).table;
        const auto inner = inner_keys(named);
        for (const config_key* each : inner)
            lines.push_back({"hob help " + unit::full_name(*each, table), std::string(each->help)});
        if (inner.empty()) lines.push_back({fmt::format("[{}]", verb), std::string(named.key->help)});
    }
    if (lines.empty()) return {};
    return "\n" + paint("Keys of hob.toml:", heading, out.color) + "\n" + help_columns(lines, out);
}

}  // namespace hob::cmd
