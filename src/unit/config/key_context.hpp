#pragma once
// What the parser of a key works on, and the parser of keys that only fill in a member of a spec.

#include <type_traits>
#include <variant>
#include <vector>

#include "unit/config/keys.hpp"
#include "unit/config/table_reader.hpp"
#include "unit/config/unit_table.hpp"
#include "unit/spec/spec.hpp"

namespace hob::unit {

// A file that is being read.
struct config_draft {
    config result;              // its [daemon] and [log]
    position shutdown_timeout;  // of its value; line 0: not given
    std::vector<unit_draft> units;
    unit_base_paths paths;
    std::string prefix;        // of the names of units in the file that is being read: "web.", or empty
    std::string pattern_base;  // its directory, relative to the root; empty: the root
    variable_list file_env;    // its [env], if it is an included one
};

struct key_context {
    const config_key& key;
    const tree_value& value;
    table_reader& table;  // that the key stands in
    config_draft& draft;  // its last unit is the one that is being read
};

// The object that a key of the current table belongs to.
template <typename Object>
Object& object_of(const key_context& at) {
    if constexpr (std::is_same_v<Object, lifecycle::daemon_settings>) {
        return at.draft.result.daemon;
    } else if constexpr (std::is_same_v<Object, lifecycle::log_settings>) {
        return at.draft.result.log;
    } else if constexpr (std::is_same_v<Object, unit_spec>) {
        return at.draft.units.back().spec;
    } else if constexpr (std::is_same_v<Object, stop_spec>) {
        return object_of<unit_spec>(at).stop;
    } else if constexpr (std::is_same_v<Object, resource_spec>) {
        return object_of<unit_spec>(at).resources;
    } else if constexpr (std::is_same_v<Object, keep_spec>) {
        return object_of<unit_spec>(at).keep;
    } else if constexpr (std::is_same_v<Object, connect_spec>) {
        return object_of<worker_spec>(at).connect.value();
    } else if constexpr (std::is_same_v<Object, answer_spec>) {
        return object_of<worker_spec>(at).answer;
    } else if constexpr (std::is_same_v<Object, ready_spec>) {
        return at.key.name.starts_with("health.") ? object_of<health_spec>(at).probe
                                                  : object_of<service_spec>(at).ready;
    } else if constexpr (std::is_same_v<Object, health_spec>) {
        return object_of<service_spec>(at).health.value();
    } else if constexpr (std::is_same_v<Object, watch_spec>) {
        return object_of<unit_spec>(at).watch;
    } else if constexpr (std::is_same_v<Object, backoff_spec>) {
        return object_of<service_spec>(at).backoff;
    } else if constexpr (std::is_same_v<Object, retry_spec>) {
        return object_of<task_spec>(at).retry;
    } else {
        return std::get<Object>(object_of<unit_spec>(at).detail);
    }
}

template <typename Object, typename Value>
Object object_type(Value Object::*);
template <typename Object, typename Value>
Value member_type(Value Object::*);

// Reads the value into the member. Faults are noted.
template <auto Member>
void read_member(const key_context& at) {
    at.table.read(at.key, at.value, object_of<decltype(object_type(Member))>(at).*Member);
}

// Reads every key that stands in the table, then notes the unknown ones. Returns what each unknown key was
// probably meant to be, or "".
std::vector<std::string_view> read_keys(table_reader& table, config_draft& draft);

// The reader of the table that a key stands for; its value must be a table.
table_reader inner_reader(const key_context& at);

// A key that stands for a table of further keys: reads those.
void read_inner_table(const key_context& at);

}  // namespace hob::unit
