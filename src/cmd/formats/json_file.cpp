#include "cmd/formats/json_file.hpp"

#include <fmt/format.h>

#include <boost/json.hpp>

#include <algorithm>

#include "error.hpp"

namespace hob::cmd {

namespace json = boost::json;

json::value parse_json_file(std::string_view bytes, const std::string& path) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (bytes.starts_with(mark)) bytes.remove_prefix(mark.size());
    json::parse_options options;
    options.allow_comments = true;
    options.allow_trailing_commas = true;
    options.max_depth = 64;
    boost::system::error_code error;
    json::stream_parser parser({}, options);
    const std::size_t consumed = parser.write_some(bytes.data(), bytes.size(), error);
    if (!error && consumed == bytes.size()) parser.finish(error);
    if (!error && consumed == bytes.size()) return parser.release();
    const std::string_view before = bytes.substr(0, std::min(consumed, bytes.size()));
    const auto line = 1 + std::count(before.begin(), before.end(), '\n');
    throw cannot_import(path, fmt::format("it is not JSON: line {}: {}", line,
                                          error ? error.message() : "something follows its end"));
}

std::string_view kind_of(const json::value& value) {
    switch (value.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "a boolean";
        case json::kind::string:
            return "a string";
        case json::kind::array:
            return "an array";
        case json::kind::object:
            return "an object";
        default:
            return "a number";
    }
}

std::optional<std::string> text_of(const json::object& entry, std::string_view key) {
    const json::value* value = entry.if_contains(key);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (!value->is_string())
        throw unimportable(fmt::format("its '{}' must be a string, not {}", key, kind_of(*value)));
    return std::string(std::string_view(value->get_string()));
}

void read_environment(const json::object& entry, std::string_view key, const import_context& context,
                      imported_unit& unit) {
    const json::value* all = entry.if_contains(key);
    if (all == nullptr || all->is_null()) return;
    if (!all->is_object())
        throw unimportable(fmt::format("its '{}' must be an object, not {}", key, kind_of(*all)));
    for (const auto& member : all->get_object()) {
        const std::string name(member.key());
        const json::value& value = member.value();
        require_variable_name(name);
        if (!value.is_string() && !value.is_number())
            throw unimportable(
                fmt::format("its variable '{}' must be a string, not {}", name, kind_of(value)));
        const std::string text =
            value.is_string() ? std::string(std::string_view(value.get_string())) : json::serialize(value);
        unit.env.emplace_back(name, parse_word(text, context));
    }
}

const json::object* object_of(const json::object& entry, std::string_view key) {
    const json::value* value = entry.if_contains(key);
    return value != nullptr ? value->if_object() : nullptr;
}

std::optional<std::string> scalar_of(const json::value& value) {
    if (value.is_string()) return std::string(std::string_view(value.get_string()));
    if (value.is_number() || value.is_bool()) return json::serialize(value);
    return std::nullopt;
}

bool is_true(const json::object& entry, std::string_view key) {
    const json::value* value = entry.if_contains(key);
    return value != nullptr && value->is_bool() && value->get_bool();
}

void require_variable_name(const std::string& name) {
    if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos)
        throw unimportable(fmt::format("'{}' is no name of a variable", name));
    if (name == "HOB_INSTANCE" || name == "HOB_UNIT" || name == "HOB_RUN")
        throw unimportable(fmt::format("it sets '{}', which is hob's own", name));
}

void remark_other_keys(const json::object& entry, std::initializer_list<std::string_view> known,
                       imported_unit& unit) {
    std::string others;
    for (const auto& member : entry) {
        const std::string_view key = member.key();
        if (std::find(known.begin(), known.end(), key) != known.end()) continue;
        others.append(others.empty() ? "" : ", ").append(key);
    }
    if (!others.empty()) unit.remarks.push_back("without " + others + ", which hob.toml does not have");
}

}  // namespace hob::cmd
