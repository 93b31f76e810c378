#include "unit/config_tree.hpp"

// toml++ 3.3 asserts (with clang and NDEBUG: assumes) that a key follows `[`, a line before it reports that
// none does. Without either, in every build, the report is what happens.
#undef NDEBUG
#define TOML_ASSERT(expr) static_assert(true)
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 64
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "unit/config_scan.hpp"

namespace hob::unit {
namespace {

position to_position(const toml::source_region& source) { return {source.begin.line, source.begin.column}; }

template <typename Date>
std::string date_text(const Date& date) {
    std::ostringstream out;
    out << date;
    return out.str();
}

tree_value convert(const toml::node& node);

void convert_members(const toml::table& table, std::vector<tree_member>& members) {
    for (const auto& [key, value] : table) {
        members.push_back({std::string(key.str()), to_position(key.source()), convert(value)});
    }
    // toml++ sorts by name; people read from top to bottom.
    std::stable_sort(members.begin(), members.end(),
                     [](const tree_member& a, const tree_member& b) { return a.where < b.where; });
}

tree_value convert(const toml::node& node) {
    tree_value result;
    result.where = to_position(node.source());
    if (const auto* table = node.as_table()) {
        result.kind = value_kind::table;
        convert_members(*table, result.members);
    } else if (const auto* array = node.as_array()) {
        result.kind = value_kind::array;
        for (const auto& item : *array)
            result.items.push_back(convert(item));
    } else if (const auto* text = node.as_string()) {
        result.kind = value_kind::string;
        result.text = text->get();
    } else if (const auto* integer = node.as_integer()) {
        result.kind = value_kind::integer;
        result.integer = integer->get();
    } else if (const auto* real = node.as_floating_point()) {
        result.kind = value_kind::real;
        result.real = real->get();
    } else if (const auto* boolean = node.as_boolean()) {
        result.kind = value_kind::boolean;
        result.boolean = boolean->get();
    } else {
        result.kind = value_kind::date;
        if (const auto* date = node.as_date()) result.text = date_text(date->get());
        if (const auto* time = node.as_time()) result.text = date_text(time->get());
        if (const auto* both = node.as_date_time()) result.text = date_text(both->get());
    }
    return result;
}

// "Error while parsing string: encountered end-of-file" -> "string: encountered end-of-file"; one line.
std::string reason_of(std::string_view description) {
    constexpr std::string_view lead = "Error while parsing ";
    if (description.starts_with(lead)) description.remove_prefix(lead.size());
    std::string result = "not valid TOML: ";
    for (const char c : description) {
        const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        result += control ? ' ' : c;
    }
    return result;
}

}  // namespace

std::string_view described(value_kind kind) {
    switch (kind) {
        case value_kind::string:
            return "a string";
        case value_kind::integer:
            return "an integer";
        case value_kind::real:
            return "a number with a fraction";
        case value_kind::boolean:
            return "true or false";
        case value_kind::date:
            return "a date or time";
        case value_kind::array:
            return "an array";
        case value_kind::table:
            return "a table";
    }
    return "a value";
}

tree_value parse_tree(std::string_view bytes) {
    scan_text(bytes);
    try {
        return convert(toml::parse(bytes));
    } catch (const toml::parse_error& error) {
        throw syntax_error(to_position(error.source()), reason_of(error.description()));
    }
}

}  // namespace hob::unit
