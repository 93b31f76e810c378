#pragma once
// Conversions between LSP and people: URIs and paths, UTF-16 columns and characters, languages and file
// names.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "unit/watch/glob.hpp"

namespace hob::unit {

// "cpp"; the extension where no language is known for it.
std::string language_of_path(std::string_view path);

// Identifies a document: its path, or the URI itself if it is not that of a file.
std::string document_key(std::string_view uri);

bool is_source_path(std::string_view path);  // a language is known for its extension

// Converts `column` of `line`, both counted from 1 in characters, to a column of the protocol, counted from 0
// in UTF-16 code units, or in bytes if `utf8`. A column behind the end of the line becomes its end.
std::size_t lsp_character(std::string_view text, std::size_t line, std::size_t column, bool utf8);

// Applies one element of `contentChanges` of didChange. False: it is malformed, and `text` is unchanged.
bool lsp_apply_change(std::string& text, std::string_view change, bool utf8);

// A pattern of LSP for paths: `**`, `*`, `?`, `{a,b}`, `[a-z]`. The time of a match is linear in the path. A
// pattern whose braces stand for more than limits::path_alternatives_max patterns matches every path.
class lsp_glob {
public:
    explicit lsp_glob(std::string_view pattern);
    bool matches(std::string_view path) const;

private:
    std::vector<glob> alternatives_;
};

}  // namespace hob::unit
