// Finding keys in the table of keys.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "unit/config/keys.hpp"

namespace hob::unit {
namespace {

struct table_row {
    unsigned table;
    std::string_view name;
};
constexpr std::array tables{
    table_row{in_daemon, "daemon"}, table_row{in_log, "log"}, table_row{in_worker, unit_kind_words[0]},
    table_row{in_service, unit_kind_words[1]}, table_row{in_task, unit_kind_words[2]}};

struct type_row {
    value_type type;
    std::string_view name;
    std::string_view help;
};
constexpr std::array types{
    type_row{value_type::text, "string", ""},
    type_row{value_type::word, "string", ""},
    type_row{value_type::boolean, "boolean", "true or false"},
    type_row{value_type::integer, "integer", ""},
    type_row{value_type::duration, "duration", R"(a number and its unit: "250ms", "5s", "10m", "2h", "1d")"},
    type_row{value_type::size, "size", R"(a whole number and its unit: "64KiB", "10MiB", "1GiB")"},
    type_row{value_type::path, "path", "relative to the directory of the file; ~ is not expanded"},
    type_row{value_type::command, "command", "an array of strings, or one string for the shell"},
    type_row{value_type::port, "port", R"(a port of localhost, or "ADDRESS:PORT")"},
    type_row{value_type::regex, "regex", "a regular expression of RE2"},
    type_row{value_type::signal, "string", R"(the name of a signal: "TERM", "SIGINT", "RTMIN+3")"},
    type_row{value_type::cron, "string", "minute, hour, day of the month, month, day of the week"},
    type_row{value_type::url, "string", "http://ADDRESS[:PORT][/PATH]; ADDRESS is numeric or localhost"},
    type_row{value_type::url_or_table, "string or table", "http://ADDRESS[:PORT][/PATH], or a table"},
    type_row{value_type::word_or_table, "string or table", ""},
    type_row{value_type::integer_or_table, "integer or table", ""},
    type_row{value_type::time_zone, "time zone", "a name of the tz database, as \"Europe/Berlin\""},
    type_row{value_type::strings, "array", "of strings"},
    type_row{value_type::patterns, "array",
             "of patterns: ** is any number of directories, * any part of a name"},
    type_row{value_type::units, "array", "of names of units, and of { unit = NAME, restart = true }"},
    type_row{value_type::env_files, "path or array",
             R"(a path, { path = ".env", required = false }, or an array of these)"},
    type_row{value_type::variable_table, "table", "of strings, integers and booleans"},
    type_row{value_type::ports, "table", "of ports, from 1 to 65535"},
    type_row{value_type::texts, "table", "of strings"},
    type_row{value_type::any_table, "table", "passed on as JSON"},
    type_row{value_type::table, "table", ""},
};

const type_row& row_of(value_type type) {
    return *std::find_if(types.begin(), types.end(),
                         [type](const type_row& row) { return row.type == type; });
}

std::string_view parent_of(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
}

bool is_in(const config_key& key, key_scope scope) {
    return (key.tables & scope.table) != 0 && parent_of(key.name) == scope.prefix;
}

bool is_among(std::string_view word, std::string_view words) {
    while (!words.empty()) {
        const std::size_t blank = std::min(words.find(' '), words.size());
        if (words.substr(0, blank) == word) return true;
        words.remove_prefix(std::min(blank + 1, words.size()));
    }
    return false;
}

}  // namespace

std::string_view leaf_of(const config_key& key) { return key.name.substr(key.name.rfind('.') + 1); }

std::string_view table_name(unsigned table) {
    for (const auto& row : tables) {
        if (row.table == table) return row.name;
    }
    return {};
}

std::string full_name(const config_key& key, unsigned table) {
    const std::string_view name = table_name(table);
    return name.empty() ? std::string(key.name) : fmt::format("{}.{}", name, key.name);
}

std::string_view type_name(value_type type) { return row_of(type).name; }

std::string_view type_help(value_type type) { return row_of(type).help; }

std::vector<const config_key*> keys_in(key_scope scope) {
    std::vector<const config_key*> found;
    for (const auto& key : all_keys()) {
        if (is_in(key, scope)) found.push_back(&key);
    }
    return found;
}

const config_key* find_key(key_scope scope, std::string_view leaf) {
    for (const auto& key : all_keys()) {
        if (is_in(key, scope) && leaf_of(key) == leaf) return &key;
    }
    return nullptr;
}

key_scope inner_scope(const config_key& key, unsigned table) {
    if (table != in_file) return {table, key.name};
    for (const auto& row : tables) {
        if (row.name == key.name) return {row.table, {}};
    }
    return {in_file, key.name};
}

std::string_view key_for_synonym(std::string_view word, key_scope scope) {
    for (const auto& key : all_keys()) {
        if (is_in(key, scope) && is_among(word, key.synonyms)) return leaf_of(key);
    }
    return {};
}

std::string kinds_with(std::string_view name) {
    std::vector<std::string_view> kinds;
    for (const std::string_view kind : unit_kind_words) {
        const auto table = std::find_if(tables.begin(), tables.end(),
                                        [kind](const table_row& row) { return row.name == kind; });
        if (find_key({table->table, {}}, name) != nullptr) kinds.push_back(kind);
    }
    if (kinds.empty()) return {};
    std::vector<std::string> headers;
    for (const std::string_view kind : kinds)
        headers.push_back(fmt::format("[{}.NAME]", kind));
    return fmt::format("only a {} has it: {}", fmt::join(kinds, " or a "), fmt::join(headers, ", "));
}

std::vector<named_key> keys_named(std::string_view name) {
    std::vector<named_key> found;
    for (const auto& key : all_keys()) {
        if (key.name == name) {
            found.push_back({&key, key.tables});
            continue;
        }
        for (const auto& row : tables) {
            if ((key.tables & row.table) != 0 && full_name(key, row.table) == name)
                found.push_back({&key, row.table});
        }
    }
    if (!found.empty()) return found;
    for (const auto& key : all_keys()) {
        if (leaf_of(key) == name) found.push_back({&key, key.tables});
    }
    return found;
}

}  // namespace hob::unit
