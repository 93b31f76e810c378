#include "unit/config/toml_to_json.hpp"

#include <fmt/format.h>

#include <cmath>

#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

std::string array_json(const tree_value& value) {
    util::json_array array;
    for (const auto& item : value.items) {
        const std::string text = to_json(item);
        array.add(util::raw_json{text});
    }
    return std::move(array).text();
}

std::string table_json(const tree_value& value) {
    util::json_object object;
    for (const auto& member : value.members) {
        const std::string text = to_json(member.value);
        object.add(member.key, util::raw_json{text});
    }
    return std::move(object).text();
}

}  // namespace

std::string to_json(const tree_value& value) {
    switch (value.kind) {
        case value_kind::string:
        case value_kind::date:
            return util::json_quote(value.text);
        case value_kind::integer:
            return std::to_string(value.integer);
        case value_kind::real:
            return std::isfinite(value.real) ? fmt::format("{}", value.real) : "null";
        case value_kind::boolean:
            return value.boolean ? "true" : "false";
        case value_kind::array:
            return array_json(value);
        case value_kind::table:
            return table_json(value);
    }
    return "null";
}

std::string value_to_json(std::string_view value) {
    return to_json(parse_tree(fmt::format("x = {}", value)).members.front().value);
}

const tree_value* has_no_json(const tree_value& value) {
    if (value.kind == value_kind::real && !std::isfinite(value.real)) return &value;
    for (const auto& item : value.items) {
        if (const auto* found = has_no_json(item)) return found;
    }
    for (const auto& member : value.members) {
        if (const auto* found = has_no_json(member.value)) return found;
    }
    return nullptr;
}

}  // namespace hob::unit
