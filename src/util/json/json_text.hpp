#pragma once
// JSON as text: strict RFC 8259 scanning that builds no values, so that forwarded values keep their bytes
// (a parser that builds values turns 1.5 into 1.5E0 and large integers into doubles).
//
// Stricter than the grammar in one point: an escaped surrogate (\ud800) must be one of a pair, because the
// string could not be converted to UTF-8 otherwise.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "util/base64.hpp"
#include "util/json/json_pretty.hpp"
#include "util/utf8.hpp"

namespace hob::util {

struct json_error {
    std::size_t offset;  // of the first byte that is not allowed there
    const char* what;    // "expected a value", "nested too deep", …
};

// nullopt: `text` is exactly one value, white space around it allowed, in valid UTF-8, with at most
// `max_depth` (itself at most 1024) arrays and objects inside one another. Bounded stack whatever the text.
std::optional<json_error> validate_json(std::string_view text, int max_depth);

struct json_member {
    std::string_view key_raw;  // as in the text, with the quotes
    std::string key;           // unescaped
    std::string_view value;    // as in the text, without white space around it
};

// One level of an object, in order, duplicates kept; the slices point into `object_text`. The whole text is
// validated (depth limits::json_depth_max). nullopt: invalid, or not an object.
std::optional<std::vector<json_member>> json_object_members(std::string_view object_text);

// One level of an array. nullopt: invalid, or not an array.
std::optional<std::vector<std::string_view>> json_array_elements(std::string_view array_text);

// With the quotes; bytes that are not UTF-8 become U+FFFD, one for each maximal part of a sequence.
std::string json_quote(std::string_view text);
void json_quote_to(std::string& out, std::string_view text);

// "\"a\\n\"" -> a<newline>; nullopt: not exactly one valid JSON string.
std::optional<std::string> json_unquote(std::string_view raw);

// An integer that fits; nullopt for everything else, 1.0 and 1e3 included.
std::optional<std::int64_t> json_integer(std::string_view raw);

// true or false.
std::optional<bool> json_boolean(std::string_view raw);

}  // namespace hob::util
