#pragma once
// Conversions between LSP and people: URIs and paths, UTF-16 columns and characters, and patterns.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "unit/watch/glob.hpp"

namespace hob::unit {

// The one path of a file that may have several names through symlinks: the name without symlinks, unless only
// another name is below `root`, which has no symlinks.
std::string document_path(const std::string& root, std::string_view path);

// Identifies a document: its path as above, or the URI itself if it is not that of a file.
std::string document_key(const std::string& root, std::string_view uri);

// Converts `column` of `line`, both counted from 1 in characters, without a byte order mark, to a column of
// the protocol, counted from 0 in UTF-16 code units, or in bytes if `utf8`. A column behind the end of the
// line becomes its end.
std::size_t lsp_character(std::string_view text, std::size_t line, std::size_t column, bool utf8);

// The range of `line`, counted from 1, without its end; raw. The position of the end of the text; raw.
std::string lsp_line_range(std::string_view text, std::size_t line, bool utf8);
std::string lsp_end_position(std::string_view text, bool utf8);

// Two readers of the text agree on its lines: they end by LF or CRLF, and nothing else in it ends a line for
// some readers.
bool has_plain_lines(std::string_view text);

// Editors leave the mark out of what they send to a server.
std::string without_byte_order_mark(std::string text);

// The end of the line at `at`: the offset of its LF, CRLF or CR, or of the end of the text.
std::size_t lsp_line_end(std::string_view text, std::size_t at);

// The length of `text` in UTF-16 code units, or in bytes if `utf8`.
std::size_t lsp_units(std::string_view text, bool utf8);

// A pattern of LSP for paths: `**`, `*`, `?`, `{a,b}`, `[a-z]`. The time of a match is linear in the path. A
// pattern whose braces stand for more than limits::path_alternatives_max patterns matches every path.
class lsp_glob {
public:
    explicit lsp_glob(std::string_view pattern);
    bool matches(std::string_view path) const;
    std::size_t size() const { return alternatives_.size(); }  // of which each may be tried

private:
    std::vector<glob> alternatives_;
};

}  // namespace hob::unit
