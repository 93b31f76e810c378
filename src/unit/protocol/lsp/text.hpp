#pragma once
// What LSP says otherwise than people do: files as URIs, columns in UTF-16, languages by name.

#include <cstddef>
#include <string>
#include <string_view>

namespace hob::unit {

std::string language_of_path(std::string_view path);  // "cpp"; else its extension

// What documents are told apart by: the path, or the URI itself where it is none of a file.
std::string document_key(std::string_view uri);

bool is_source_path(std::string_view path);  // its extension is that of a language

// `column` of `line`, both from 1 as an editor shows them, in the units of the protocol, from 0: of UTF-16,
// or of bytes where `utf8`. What lies behind the end of the line is its end.
std::size_t lsp_character(std::string_view text, std::size_t line, std::size_t column, bool utf8);

// One element of a didChange's contentChanges. False: it has no such form, and `text` is as it was.
bool lsp_apply_change(std::string& text, std::string_view change, bool utf8);

// A pattern as LSP has it (`**`, `*`, `?`, `{a,b}`, `[a-z]`), against a path.
bool lsp_glob_matches(std::string_view pattern, std::string_view path);

}  // namespace hob::unit
