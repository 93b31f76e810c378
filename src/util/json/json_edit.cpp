#include "util/json/json_edit.hpp"

#include <span>

#include "util/json/json_text.hpp"

namespace hob::util {
namespace {

void add_member(std::string& object, std::string_view key_raw, std::string_view value) {
    if (object.size() > 1) object += ',';
    object.append(key_raw).append(":").append(value);
}

std::string set_at(std::string_view text, std::span<const std::string_view> path, std::string_view value) {
    if (path.empty()) return std::string(value);
    const auto members = json_object_members(text);
    std::string object = "{";
    std::string_view before;
    if (members) {
        for (const auto& member : *members) {
            if (member.key == path.front()) {
                before = member.value;
            } else {
                add_member(object, member.key_raw, member.value);
            }
        }
    }
    add_member(object, json_quote(path.front()), set_at(before, path.subspan(1), value));
    return object + "}";
}

bool is_object(std::string_view raw) {
    const auto begin = raw.find_first_not_of(" \t\r\n");
    return begin != std::string_view::npos && raw[begin] == '{';
}

}  // namespace

std::string_view json_member_of(std::string_view text, std::string_view key) {
    std::string_view found;
    if (!is_object(text)) return found;
    if (const auto members = json_object_members(text)) {
        for (const auto& member : *members) {
            if (member.key == key) found = member.value;
        }
    }
    return found;
}

std::string_view json_find(std::string_view text, json_path path) {
    for (const auto key : path)
        text = json_member_of(text, key);
    return text;
}

std::optional<std::string> json_find_string(std::string_view text, json_path path) {
    return json_unquote(json_find(text, path));
}

std::optional<std::int64_t> json_find_integer(std::string_view text, json_path path) {
    return json_integer(json_find(text, path));
}

bool json_find_true(std::string_view text, json_path path) { return json_find(text, path) == "true"; }

std::string json_set(std::string_view text, json_path path, std::string_view value) {
    return set_at(text, std::span(path.begin(), path.size()), value);
}

std::string json_without(std::string_view text, std::string_view key) {
    const auto members = json_object_members(text);
    if (!members) return std::string(text);
    std::string object = "{";
    for (const auto& member : *members) {
        if (member.key != key) add_member(object, member.key_raw, member.value);
    }
    return object + "}";
}

std::string json_merge(std::string_view base, std::string_view over) {
    if (over.empty()) return std::string(base);
    if (!is_object(base) || !is_object(over)) return std::string(over);
    const auto below = json_object_members(base);
    const auto above = json_object_members(over);
    if (!below || !above) return std::string(over);
    std::string object = "{";
    for (const auto& member : *below) {
        const std::string_view replaced = json_member_of(over, member.key);
        add_member(object, member.key_raw,
                   replaced.empty() ? std::string(member.value) : json_merge(member.value, replaced));
    }
    for (const auto& member : *above) {
        if (json_member_of(base, member.key).empty()) add_member(object, member.key_raw, member.value);
    }
    return object + "}";
}

std::string json_display_text(std::string_view raw) {
    if (auto text = json_unquote(raw)) return std::move(*text);
    return std::string(raw);
}

}  // namespace hob::util
