#pragma once
// Members of a JSON object of which only the beginning or the end is known, because it was too long to keep.

#include <string_view>
#include <vector>

#include "util/json/json_text.hpp"

namespace hob::util {

// The members that are complete in `head`, the beginning of an object; in order. Slices point into `head`.
std::vector<json_member> json_leading_members(std::string_view head);

// The members at the end of an object that ends with `tail`: strings, numbers and literals, from the last one
// on backwards to the first that is an array or an object. Slices point into `tail`.
std::vector<json_member> json_trailing_members(std::string_view tail);

// The size of the value that `text` begins with, white space before it included; 0: there is none, or not
// all of it.
std::size_t json_value_prefix(std::string_view text);

}  // namespace hob::util
