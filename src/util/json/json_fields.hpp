#pragma once
// A struct as a JSON object, both ways. In its namespace stands a function template, `template
// <util::json_fields::is<X> Type, typename Field> void each_field(Type&, const Field&)`, which calls
// `field(name, member)` for each of its members: texts, 64-bit numbers, bools and lists of texts. A member
// with its default value is left out. Bytes that are not UTF-8 are kept, as {"b64":"…"}.

#include <boost/json.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "util/base64.hpp"
#include "util/json/json_writer.hpp"
#include "util/utf8.hpp"

namespace hob::util::json_fields {

template <typename Type, typename Struct>
concept is = std::same_as<std::remove_const_t<Type>, Struct>;

template <typename Member>
void add(json_object& to, std::string_view name, const Member& member) {
    to.add(name, member);
}

inline json_object encoded(const std::string& bytes) {
    return std::move(json_object().add("b64", base64_encode(bytes)));
}

inline void add(json_object& to, std::string_view name, const std::string& member) {
    if (is_utf8(member)) {
        to.add(name, member);
    } else {
        to.add(name, encoded(member));
    }
}

inline void add(json_object& to, std::string_view name, const std::vector<std::string>& member) {
    json_array texts;
    for (const auto& each : member) {
        if (is_utf8(each)) {
            texts.add(each);
        } else {
            texts.add(encoded(each));
        }
    }
    to.add(name, texts);
}

inline void read(const boost::json::value& from, std::string& into) {
    if (const auto* text = from.if_string()) into.assign(text->data(), text->size());
    const auto* object = from.if_object();
    const auto* bytes = object ? object->if_contains("b64") : nullptr;
    if (bytes && bytes->is_string()) into = base64_decode(std::string(bytes->as_string())).value_or("");
}

inline void read(const boost::json::value& from, std::int64_t& into) {
    if (const auto* number = from.if_int64()) into = *number;
}

inline void read(const boost::json::value& from, bool& into) {
    if (const auto* yes = from.if_bool()) into = *yes;
}

inline void read(const boost::json::value& from, std::vector<std::string>& into) {
    const auto* texts = from.if_array();
    if (!texts) return;
    for (const auto& each : *texts) {
        into.emplace_back();
        read(each, into.back());
    }
}

// The member of `of` that is at the same place as `member` in `from`.
template <typename Struct, typename Member>
const Member& same_member(const Struct& of, const Struct& from, const Member& member) {
    const auto offset = reinterpret_cast<const char*>(&member) - reinterpret_cast<const char*>(&from);
    return *reinterpret_cast<const Member*>(reinterpret_cast<const char*>(&of) + offset);
}

template <typename Struct>
std::string to_json(const Struct& from) {
    [[maybe_unused]] static const Struct defaults{};
    json_object object;
    each_field(from, [&](std::string_view name, const auto& member) {
        if (member != same_member(defaults, from, member)) add(object, name, member);
    });
    return std::move(object).text();
}

// nullopt: it is none. A member that is missing has its default.
template <typename Struct>
std::optional<Struct> parse(const std::string& text) {
    boost::system::error_code error;
    const boost::json::value parsed = boost::json::parse(text, error);
    const boost::json::object* object = error ? nullptr : parsed.if_object();
    if (!object) return std::nullopt;
    Struct found;
    each_field(found, [object](std::string_view name, auto& member) {
        if (const auto* value = object->if_contains(boost::json::string_view(name.data(), name.size())))
            read(*value, member);
    });
    return found;
}

}  // namespace hob::util::json_fields
