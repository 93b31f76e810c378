#include "unit/config/schema.hpp"

#include <iterator>

#include "unit/config/toml_to_json.hpp"
#include "unit/config/value_schema.hpp"

namespace hob::unit {
namespace {

using util::json_array;
using util::json_object;
using util::raw_json;

json_object key_schema(const config_key& key, unsigned table);

json_array names_with(const std::vector<const config_key*>& keys, key_presence presence) {
    json_array names;
    for (const config_key* key : keys) {
        if (key->presence == presence) names.add(leaf_of(*key));
    }
    return names;
}

json_object requires_all(const json_array& names) { return json_object().add("required", names); }

// The keys that must or must not stand together.
void add_presence_rules(json_object& schema, const std::vector<const config_key*>& keys) {
    const json_array required = names_with(keys, key_presence::required);
    if (!required.empty()) schema.add("required", required);
    json_array alternatives;
    for (const config_key* key : keys) {
        if (key->presence == key_presence::alternative)
            alternatives.add(requires_all(json_array().add(leaf_of(*key))));
    }
    if (!alternatives.empty()) schema.add("oneOf", alternatives);
    const json_array exclusive = names_with(keys, key_presence::exclusive);
    if (!exclusive.empty()) schema.add("not", requires_all(exclusive));
}

// `then` holds unless the protocol has the trait.
json_object unless_protocol(bool worker_protocol::*trait, const json_object& then) {
    json_array words;
    for (const worker_protocol* protocol : all_protocols()) {
        if (protocol->*trait) words.add(protocol->name);
    }
    const json_object property = json_object().add("protocol", json_object().add("enum", words));
    const json_object condition =
        json_object().add("properties", property).add("required", json_array().add("protocol"));
    return json_object().add("if", condition).add("else", json_object().add("properties", then));
}

void add_protocol_rules(json_object& schema) {
    const json_object empty = json_object().add("initialize", json_object().add("maxProperties", 0));
    const json_object absent = json_object().add("settings", false);
    const json_object no_answer = json_object().add("answer", false);
    schema.add("allOf", json_array()
                            .add(unless_protocol(&worker_protocol::handshake, empty))
                            .add(unless_protocol(&worker_protocol::settings, absent))
                            .add(unless_protocol(&worker_protocol::one_at_a_time, no_answer)));
}

// A terminal is both input and output.
void add_terminal_rule(json_object& schema) {
    const json_object on = json_object().add("tty", json_object().add("const", true));
    const json_object condition =
        json_object().add("properties", on).add("required", json_array().add("tty"));
    const json_object absent = json_object().add("stdin", false).add("output", false);
    schema.add("if", condition).add("then", json_object().add("properties", absent));
}

// Adds what holds for a table with the keys of the scope.
void add_table_schema(json_object& schema, key_scope scope) {
    const auto keys = keys_in(scope);
    json_object properties;
    for (const config_key* key : keys)
        properties.add(leaf_of(*key), key_schema(*key, scope.table));
    schema.add("type", "object").add("properties", properties).add("additionalProperties", false);
    add_presence_rules(schema, keys);
    if (scope.table == in_worker && scope.prefix.empty()) add_protocol_rules(schema);
    if (scope.table == in_service && scope.prefix.empty()) add_terminal_rule(schema);
}

// The tables [worker.NAME], [service.NAME] or [task.NAME].
void add_units_schema(json_object& schema, key_scope scope) {
    json_object unit;
    add_table_schema(unit, scope);
    schema.add("type", "object")
        .add("propertyNames", json_object().add("pattern", unit_name_pattern()))
        .add("additionalProperties", unit);
}

json_object key_schema(const config_key& key, unsigned table) {
    json_object schema;
    schema.add("description", key.help);
    if (!key.initial.empty()) schema.add("default", raw_json{value_to_json(key.initial)});
    const key_scope inner = inner_scope(key, table);
    if (table == in_file && (inner.table & in_units) != 0) {
        add_units_schema(schema, inner);
    } else if (key.type == value_type::table) {
        add_table_schema(schema, inner);
    } else if (key.type == value_type::url_or_table || key.type == value_type::word_or_table ||
               key.type == value_type::integer_or_table) {
        json_object simple, object;
        add_value_schema(simple, key);
        add_table_schema(object, inner);
        if (key.type == value_type::integer_or_table) object.add("minProperties", 1);
        schema.add("anyOf", json_array().add(simple).add(object));
    } else {
        add_value_schema(schema, key);
    }
    if (table != in_file && !key.example.empty())
        schema.add("examples", json_array().add(raw_json{value_to_json(key.example)}));
    return schema;
}

}  // namespace

std::string config_schema() {
    json_object schema;
    schema.add("$schema", "https://json-schema.org/draft/2020-12/schema")
        .add("title", "hob.toml")
        .add("description", "the units of a project and their settings; man hob.toml");
    add_table_schema(schema, {in_file, {}});
    return std::move(schema).text();
}

}  // namespace hob::unit
