#include "unit/config/toml_to_json.hpp"

#include <fmt/format.h>

#include <cmath>

#include "util/json_text.hpp"

namespace hob::unit {
namespace {

std::string array_json(const tree_value& value) {
    std::string result = "[";
    for (const auto& item : value.items) {
        if (result.size() > 1) result += ',';
        result += to_json(item);
    }
    return result + "]";
}

std::string table_json(const tree_value& value) {
    std::string result = "{";
    for (const auto& member : value.members) {
        if (result.size() > 1) result += ',';
        result += util::json_quote(member.key) + ":" + to_json(member.value);
    }
    return result + "}";
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
