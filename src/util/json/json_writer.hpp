#pragma once
// The one place that writes JSON: members and elements in order, every text quoted. Forwarded values are
// written as they are (`raw_json`), so that they keep their bytes.
//
//     util::json_object reply;
//     reply.add("unit", name).add("pid", pid).add("result", util::raw_json{result});
//     return std::move(reply).text();

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

// Valid JSON text, such as a worker's result. Not checked.
struct raw_json {
    std::string_view text;
};

class json_array;
class json_object;

namespace detail {

void write_json(std::string& out, const json_array& value);
void write_json(std::string& out, const json_object& value);
void write_json(std::string& out, std::string_view value);
void write_json(std::string& out, std::int64_t value);
void write_json(std::string& out, std::uint64_t value);
inline void write_json(std::string& out, raw_json value) { out += value.text; }
inline void write_json(std::string& out, std::nullptr_t) { out += "null"; }

template <typename T>
void write_json_value(std::string& out, const T& value) {
    if constexpr (std::same_as<T, bool>) {
        out += value ? "true" : "false";
    } else if constexpr (std::same_as<T, std::nullptr_t>) {
        write_json(out, value);
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
        write_json(out, std::string_view(value));
    } else if constexpr (std::signed_integral<T>) {
        write_json(out, static_cast<std::int64_t>(value));
    } else if constexpr (std::unsigned_integral<T>) {
        write_json(out, static_cast<std::uint64_t>(value));
    } else {
        write_json(out, value);
    }
}

}  // namespace detail

class json_array {
public:
    // A text, an integer, a bool, nullptr, raw_json, json_array or json_object, or an optional of these: null
    // if empty.
    template <typename T>
    json_array& add(const T& value);

    bool empty() const { return text_.size() == 1; }
    std::string text() &&;  // the whole array; the writer is empty afterwards
    std::string text() const&;

private:
    std::string text_ = "[";
};

class json_object {
public:
    json_object() = default;
    // Begins with the members of `object`, the text of a valid object without white space around it.
    explicit json_object(raw_json object);

    // Values as for json_array. Keys must be unique; that is not checked.
    template <typename T>
    json_object& add(std::string_view key, const T& value);
    // Nothing is written for an empty optional.
    template <typename T>
    json_object& add_if(std::string_view key, const std::optional<T>& value) {
        return value ? add(key, *value) : *this;
    }
    // The members of `object`, the text of a valid object without white space around it.
    json_object& add_members(raw_json object);

    bool empty() const { return text_.size() == 1; }
    std::string text() &&;  // the whole object; the writer is empty afterwards
    std::string text() const&;

private:
    void write_key(std::string_view key);

    std::string text_ = "{";
};

namespace detail {

template <typename T>
void write_json_optional(std::string& out, const T& value) {
    write_json_value(out, value);
}
template <typename T>
void write_json_optional(std::string& out, const std::optional<T>& value) {
    if (value)
        write_json_value(out, *value);
    else
        out += "null";
}
inline void write_json(std::string& out, const json_array& value) { out += value.text(); }
inline void write_json(std::string& out, const json_object& value) { out += value.text(); }

}  // namespace detail

template <typename T>
json_array& json_array::add(const T& value) {
    if (!empty()) text_ += ',';
    detail::write_json_optional(text_, value);
    return *this;
}

template <typename T>
json_object& json_object::add(std::string_view key, const T& value) {
    write_key(key);
    detail::write_json_optional(text_, value);
    return *this;
}

}  // namespace hob::util
