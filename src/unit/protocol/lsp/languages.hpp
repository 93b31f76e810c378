#pragma once
// Which language a document has: the language ids that servers know, by file name.

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace hob::unit {

// Patterns of file names and the language ids that they stand for, as `language_ids` in hob.toml has them.
using language_overrides = std::span<const std::pair<std::string, std::string>>;

// "cpp". The last of the overrides that matches counts before everything else. A pattern with a slash is
// matched against the end of the path, others against the file name. A name that nothing is known about has
// the id of its extension, and without an extension "plaintext".
std::string language_of_path(std::string_view path, language_overrides overrides = {});

// Whether one of the patterns, which are as above, matches.
bool matches_one(std::string_view path, std::span<const std::string> patterns);

// A file of a language that servers keep an index of: it is in the table and no plain text, or has an
// override.
bool is_source_path(std::string_view path, language_overrides overrides = {});

}  // namespace hob::unit
