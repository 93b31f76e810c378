#include "unit/config/value_schema.hpp"

#include <fmt/format.h>

#include <csignal>

#include "unit/config/unit_table.hpp"
#include "util/signal_name.hpp"

namespace hob::unit {
namespace {

using util::json_array;
using util::json_object;

// Regular expressions of ECMA-262 that Rust's fancy-regex, which taplo uses, reads alike.
constexpr std::string_view without_nul = R"(^[^\u0000]+$)";
constexpr std::string_view path_pattern = R"(^(?!~(?:/|$))[^\u0000]+$)";
constexpr std::string_view command_pattern = R"(^(?=[^\u0000]*[^ \t\r\n\v\f])[^\u0000]+$)";
constexpr std::string_view argument_pattern = R"(^[^\u0000]*$)";
// The last `[` that is not escaped has its `]`.
constexpr std::string_view glob_pattern = R"(^(?![\s\S]*(?:^|[^\\])\[[^\[\]]*$)[^\u0000]+$)";
constexpr std::string_view cron_pattern =
    R"(^(?:@[A-Za-z]+|[ \t]*[0-9A-Za-z*,/-]+(?:[ \t]+[0-9A-Za-z*,/-]+){4}[ \t]*)$)";
constexpr std::string_view time_zone_pattern = "^[A-Za-z0-9_+-][A-Za-z0-9_+/-]*$";
constexpr std::string_view size_pattern = "^[0-9]+(?:B|KiB|MiB|GiB|TiB|KB|MB|GB|TB)$";

constexpr std::string_view with_reference = R"([^\u0000]*\$\{[^\u0000]*)";  // to a variable

constexpr std::string_view octet = "(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
constexpr std::string_view port_number =
    "0*(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])";

std::string host_pattern() {
    return fmt::format(R"((?:localhost|{0}(?:\.{0}){{3}}|\[[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*\]))", octet);
}

std::string duration_pattern(bool may_be_zero) {
    std::string parts;
    for (const std::string_view unit : {"d", "h", "m", "s", "ms"})
        parts += fmt::format(R"((?:[0-9]+(?:\.[0-9]+)?{})?)", unit);
    return may_be_zero ? fmt::format("^(?:0|(?=[0-9]){})$", parts) : fmt::format("^(?=.*[1-9]){}$", parts);
}

std::string signal_pattern() {
    std::string names;
    util::signal_error ignored;
    for (int number = 1; number < SIGRTMIN; ++number) {
        const std::string name = util::signal_name(number);
        if (util::parse_signal(name, ignored)) names += name + "|";
    }
    return fmt::format(R"(^(?:SIG)?(?:{}RTMIN(?:\+[0-9]+)?|RTMAX(?:-[0-9]+)?)$)", names);
}

json_object text_schema(std::string_view pattern) {
    json_object schema;
    return schema.add("type", "string").add("pattern", pattern);
}

void add_text(json_object& schema, std::string_view pattern) {
    schema.add("type", "string").add("pattern", pattern);
}

json_array words_of(const config_key& key) {
    json_array words;
    for (const std::string_view word : key.words())
        words.add(word);
    return words;
}

void add_integer(json_object& schema, const config_key& key) {
    schema.add("type", "integer").add("minimum", key.least).add("maximum", key.most);
}

void add_command(json_object& schema) {
    json_object array;
    array.add("type", "array")
        .add("minItems", 1)
        .add("prefixItems", json_array().add(text_schema(command_pattern)))
        .add("items", text_schema(argument_pattern));
    schema.add("anyOf", json_array().add(text_schema(command_pattern)).add(array));
}

void add_port(json_object& schema) {
    json_object number;
    number.add("type", "integer").add("minimum", 1).add("maximum", 65535);
    const std::string address = fmt::format("^(?:{}:{}|{})$", host_pattern(), port_number, with_reference);
    schema.add("anyOf", json_array().add(number).add(text_schema(address)));
}

void add_strings(json_object& schema, std::string_view pattern, bool unique) {
    schema.add("type", "array").add("items", text_schema(pattern));
    if (unique) schema.add("uniqueItems", true);
}

void add_units(json_object& schema) {
    json_object members, table;
    members.add("unit", text_schema(without_nul)).add("restart", json_object().add("type", "boolean"));
    table.add("type", "object")
        .add("properties", members)
        .add("required", json_array().add("unit"))
        .add("additionalProperties", false);
    schema.add("type", "array")
        .add("items", json_object().add("anyOf", json_array().add(text_schema(without_nul)).add(table)))
        .add("uniqueItems", true);
}

void add_variables(json_object& schema) {
    // As is_own_variable().
    const json_array settable = json_array().add("HOB_RUNTIME_DIR").add("HOB_STATE_DIR");
    json_array allowed;
    allowed.add(json_object().add("enum", settable));
    allowed.add(json_object().add("not", json_object().add("pattern", "^HOB_")));
    json_object names;
    names.add("pattern", R"(^[^=\u0000]+$)").add("anyOf", allowed);
    schema.add("type", "object")
        .add("propertyNames", names)
        .add("additionalProperties",
             json_object().add("anyOf", json_array()
                                            .add(text_schema(argument_pattern))
                                            .add(json_object().add("type", "integer"))
                                            .add(json_object().add("type", "boolean"))));
}

json_array env_file_forms() {
    json_object members, table;
    members.add("path", text_schema(path_pattern)).add("required", json_object().add("type", "boolean"));
    table.add("type", "object")
        .add("properties", members)
        .add("required", json_array().add("path"))
        .add("additionalProperties", false);
    return json_array().add(text_schema(path_pattern)).add(table);
}

void add_env_files(json_object& schema) {
    json_object array;
    array.add("type", "array").add("items", json_object().add("anyOf", env_file_forms()));
    schema.add("anyOf", env_file_forms().add(array));
}

void add_ports(json_object& schema) {
    json_object number;
    number.add("type", "integer").add("minimum", 1).add("maximum", 65535);
    schema.add("type", "object")
        .add("propertyNames", json_object().add("pattern", "^(?!HOB_)[A-Za-z_][A-Za-z0-9_]*$"))
        .add("additionalProperties", number);
}

void add_texts(json_object& schema) {
    json_object text;
    text.add("type", "string").add("minLength", 1);
    schema.add("type", "object").add("propertyNames", json_object().add("minLength", 1));
    schema.add("additionalProperties", text);
}

// The form of a value that is always a string; empty for other types.
std::string pattern_of(const config_key& key) {
    switch (key.type) {
        case value_type::text:
        case value_type::regex:
            return std::string(without_nul);
        case value_type::duration:
            return duration_pattern(key.least == 0);
        case value_type::size:
            return std::string(size_pattern);
        case value_type::path:
            return std::string(path_pattern);
        case value_type::signal:
            return signal_pattern();
        case value_type::time_zone:  // whether there is such a zone depends on the machine
            return std::string(time_zone_pattern);
        case value_type::cron:
            return std::string(cron_pattern);
        case value_type::url:
        case value_type::url_or_table:  // of its string; the caller adds the table
            return fmt::format(R"(^(?:http://{}(?::{})?(?:[/?][^\u0000-\u0020\u007f#]*)?|{})$)",
                               host_pattern(), port_number, with_reference);
        default:
            return {};
    }
}

}  // namespace

std::string unit_name_pattern() { return "^(?!daemon$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"; }

void add_value_schema(json_object& schema, const config_key& key) {
    if (const std::string pattern = pattern_of(key); !pattern.empty()) return add_text(schema, pattern);
    switch (key.type) {
        case value_type::word:
        case value_type::word_or_table:  // its word; the caller adds the table
            schema.add("enum", words_of(key));
            break;
        case value_type::boolean:
            schema.add("type", "boolean");
            if (key.presence == key_presence::alternative) schema.add("enum", json_array().add(true));
            break;
        case value_type::integer:
        case value_type::integer_or_table:  // its number; the caller adds the table
            return add_integer(schema, key);
        case value_type::command:
            return add_command(schema);
        case value_type::port:
            return add_port(schema);
        case value_type::strings:
            if (key.name == "groups") return add_strings(schema, unit_name_pattern(), false);
            return add_strings(schema, without_nul, false);
        case value_type::patterns:
            return add_strings(schema, glob_pattern, false);
        case value_type::units:
            return add_units(schema);
        case value_type::env_files:
            return add_env_files(schema);
        case value_type::variable_table:
            return add_variables(schema);
        case value_type::ports:
            return add_ports(schema);
        case value_type::texts:
            return add_texts(schema);
        default:
            schema.add("type", "object");
            break;
    }
}

}  // namespace hob::unit
