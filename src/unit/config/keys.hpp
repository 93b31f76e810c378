#pragma once
// The keys of hob.toml. There is one table of them, in keys.cpp. The parser, `hob help KEY`, completion and
// the JSON Schema are made from it, and a test compares hob.toml(5) with it.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "unit/spec/spec.hpp"

namespace hob::unit {

struct key_context;

// The tables of hob.toml, as bits. `in_file` is the file itself.
inline constexpr unsigned in_file = 1, in_daemon = 2, in_log = 4, in_worker = 8, in_service = 16,
                          in_task = 32;
inline constexpr unsigned in_units = in_worker | in_service | in_task;

constexpr unsigned table_of(unit_kind kind) { return in_worker << static_cast<unsigned>(kind); }

enum class value_type : std::uint8_t {
    text,
    word,  // one of the key's words
    boolean,
    integer,
    duration,
    size,
    path,
    command,
    port,
    regex,
    signal,
    cron,
    url,
    url_or_table,
    word_or_table,
    integer_or_table,
    time_zone,
    strings,
    patterns,        // of files
    units,           // names
    env_files,       // a path, a table with one, or an array of these
    variable_table,  // a table of strings, integers and booleans
    ports,           // a table of ports
    texts,           // a table of strings that are not empty
    any_table,       // its members are passed on as JSON
    table,           // of further keys in the table of keys
};

enum class key_presence : std::uint8_t {
    optional,
    required,
    alternative,  // exactly one of the alternatives of its table is required
    exclusive,    // at most one of the exclusive keys of its table is allowed
};

// One key. The table is written with the functions below, each of which returns a changed copy.
struct config_key {
    unsigned tables = 0;
    std::string_view name;  // within each of the tables: "restart", "ready.http.url"
    value_type type = value_type::text;
    std::string_view help;  // one line, no full stop
    void (*read)(const key_context&) =
        nullptr;                     // the parser of its value; called only when the key is present
    std::string_view initial = {};   // the default, as hob.toml writes it; empty: none
    std::string_view absent = {};    // for people: what holds without the key, when that is not a value
    std::string_view example = {};   // a value, as hob.toml writes it; empty: the default is one
    std::string_view synonyms = {};  // names of this key in other tools, separated by blanks
    std::vector<std::string_view> (*words)() = nullptr;
    std::int64_t least = 0;  // integer; duration in milliseconds; size in bytes
    std::int64_t most = 0;   // 0: no limit
    key_presence presence = key_presence::optional;

    // Before its callers: clang 14 knows no member template further down in a constant expression.
    template <typename Value>
    constexpr config_key with(Value config_key::*member, Value value) const {
        config_key changed = *this;
        changed.*member = value;
        return changed;
    }

    constexpr config_key by_default(std::string_view value) const {
        return with(&config_key::initial, value);
    }
    constexpr config_key without_it(std::string_view text) const { return with(&config_key::absent, text); }
    constexpr config_key such_as(std::string_view value) const { return with(&config_key::example, value); }
    constexpr config_key also_called(std::string_view names) const {
        return with(&config_key::synonyms, names);
    }
    constexpr config_key at_least(std::int64_t value) const { return with(&config_key::least, value); }
    constexpr config_key at_most(std::int64_t value) const { return with(&config_key::most, value); }
    constexpr config_key present(key_presence value) const { return with(&config_key::presence, value); }
};

// A table, or an inner one: {in_service, "ready"} holds the keys "ready.tcp", "ready.http", …
struct key_scope {
    unsigned table = in_file;
    std::string_view prefix;
};

// "tcp" of "ready.tcp"
std::string_view leaf_of(const config_key& key);
// "service.ready.tcp". `table`: one of the key's tables.
std::string full_name(const config_key& key, unsigned table);
// "daemon", "service"; empty for the file.
std::string_view table_name(unsigned table);
// "string", "duration", …: as hob.toml(5) names it.
std::string_view type_name(value_type type);
// What a value of this type looks like; empty where the name says all.
std::string_view type_help(value_type type);

std::span<const config_key> all_keys();
std::vector<const config_key*> keys_in(key_scope scope);
// nullptr: there is none.
const config_key* find_key(key_scope scope, std::string_view leaf);
// The scope of the keys in the table that `key` stands for.
key_scope inner_scope(const config_key& key, unsigned table);

// The key of `scope` that another tool calls `word`; empty when there is none.
std::string_view key_for_synonym(std::string_view word, key_scope scope);
// For a key of another kind of unit: "only a worker has it: [worker.NAME]". Empty: no unit has it.
std::string kinds_with(std::string_view name);

struct named_key {
    const config_key* key;
    unsigned tables;  // in which the name means this key
};
// What "service.ready.tcp", "ready.tcp" (in whichever table) or "service" means. Where none of these is a
// key: the keys whose last part is the name, such as "tcp".
std::vector<named_key> keys_named(std::string_view name);

}  // namespace hob::unit
