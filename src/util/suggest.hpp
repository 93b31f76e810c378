#pragma once
// "did you mean": the word that was probably meant.

#include <optional>
#include <span>
#include <string_view>

namespace hob::util {

// The candidate nearest to `word`: case, `-` and `_` aside the same, or within a third of its length in
// insertions, deletions, replacements and swaps of neighbours (at most 3), or else the only one that `word`
// (3 characters or more) begins. The first of several equally near ones. nullopt when none is near.
std::optional<std::string_view> nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace hob::util
