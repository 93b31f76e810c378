#pragma once
// "did you mean": finds the word that was probably meant.

#include <optional>
#include <span>
#include <string_view>

namespace hob::util {

// The only candidate that begins with `word`, if that has 3 characters or more; else the nearest by
// insertions, deletions, replacements and swaps of neighbours: at most a third of its length and at most 3.
// Case is ignored, and `-` equals `_`. Of several equally near ones the first. nullopt: none.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace hob::util
