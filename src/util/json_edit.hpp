#pragma once
// Looking into JSON text, and changing single members of it, without building values: what is not touched
// keeps its bytes.

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

namespace hob::util {

using json_path = std::initializer_list<std::string_view>;

// The value at `path`, each step a key of an object, as in the text; of equal keys the last counts. Empty: it
// is not there, or the text is not JSON.
std::string_view json_find(std::string_view text, json_path path);
// One step, for paths that are made at run time.
std::string_view json_member_of(std::string_view text, std::string_view key);

std::optional<std::string> json_find_string(std::string_view text, json_path path);
std::optional<std::int64_t> json_find_integer(std::string_view text, json_path path);
bool json_find_true(std::string_view text, json_path path);

// `text` with the value at `path` set to `value`; objects on the way are made where they are missing, and
// what is no object on the way is replaced by one. An empty `text` is {}.
std::string json_set(std::string_view text, json_path path, std::string_view value);

// `text`, an object, without its member `key`.
std::string json_without(std::string_view text, std::string_view key);

// The members of `over` on top of those of `base`, objects within objects alike. Where either is no object,
// `over`; an empty one is as if it were {}.
std::string json_merge(std::string_view base, std::string_view over);

// A string as its text, anything else as it is.
std::string json_plain(std::string_view raw);

}  // namespace hob::util
