#pragma once
// Finding and changing single members of JSON text without building values: all other members keep their
// bytes.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

using json_path = std::initializer_list<std::string_view>;

// The value at `path` as it stands in the text. Each step of the path is a key of an object; of equal keys
// the last counts. Empty: there is no such value, or the text is not JSON.
std::string_view json_find(std::string_view text, json_path path);
// One step, for paths that are composed at run time.
std::string_view json_member_of(std::string_view text, std::string_view key);

std::optional<std::string> json_find_string(std::string_view text, json_path path);
std::optional<std::int64_t> json_find_integer(std::string_view text, json_path path);
bool json_find_true(std::string_view text, json_path path);

// `text` with the value at `path` set to `value`. Missing objects on the path are added, and other values on
// the path are replaced by objects. An empty `text` counts as {}.
std::string json_set(std::string_view text, json_path path, std::string_view value);

// `text`, an object, without its member `key`.
std::string json_without(std::string_view text, std::string_view key);

// The members of `base` replaced and completed by those of `over`, recursively. If either is not an object,
// the result is `over`. An empty text counts as {}.
std::string json_merge(std::string_view base, std::string_view over);

// For people: the text of a string, and any other value as it stands.
std::string json_display_text(std::string_view raw);

}  // namespace hob::util
