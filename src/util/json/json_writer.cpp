#include "util/json/json_writer.hpp"

#include <charconv>

#include "util/json/json_text.hpp"

namespace hob::util {
namespace {

template <typename T>
void write_integer(std::string& out, T value) {
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    out.append(digits, end);
}

}  // namespace

namespace detail {

void write_json(std::string& out, std::string_view value) { json_quote_to(out, value); }
void write_json(std::string& out, std::int64_t value) { write_integer(out, value); }
void write_json(std::string& out, std::uint64_t value) { write_integer(out, value); }

}  // namespace detail

std::string json_array::text() && {
    text_ += ']';
    return std::move(text_);
}

std::string json_array::text() const& { return text_ + ']'; }

json_object::json_object(raw_json object) : text_(object.text.substr(0, object.text.size() - 1)) {}

json_object& json_object::add_members(raw_json object) {
    const std::string_view members = object.text.substr(1, object.text.size() - 2);
    if (!empty() && !members.empty()) text_ += ',';
    text_ += members;
    return *this;
}

void json_object::write_key(std::string_view key) {
    if (!empty()) text_ += ',';
    json_quote_to(text_, key);
    text_ += ':';
}

std::string json_object::text() && {
    text_ += '}';
    return std::move(text_);
}

std::string json_object::text() const& { return text_ + '}'; }

}  // namespace hob::util
