#pragma once
// Aligned columns for people, that fit the terminal: the least important columns go first, then text is
// shortened.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/output.hpp"

namespace hob::cmd {

// `text` as it may stand on a terminal: control characters and bytes that are not UTF-8 become "\xNN", and
// without `utf8` so does everything beyond ASCII. Nothing a unit or a path is called can move the cursor.
std::string printable(std::string_view text, bool utf8);

// The same for a text of several lines: newlines and tabs are kept.
std::string printable_lines(std::string_view text, bool utf8);

// `text` with control characters above ASCII, bidirectional controls and DEL as "\uNNNN", which keeps JSON
// valid. Newlines and escape sequences are kept: they may be ours.
std::string without_hidden_controls(std::string_view text);

// Columns that printable text takes on a terminal.
int display_width(std::string_view utf8_text);

// At most `columns` wide, the cut marked by an ellipsis ("~" without `utf8`).
std::string shortened(std::string_view text, int columns, bool utf8);

// Pieces of a line joined by two blanks, continued on a further line, indented by `indent`, where they would
// pass `columns`. A piece is kept whole. Ends with a newline. Widths are measured before painting.
struct piece {
    std::string text;
    std::string code;  // ANSI, or empty
};
std::string flow(const std::vector<piece>& pieces, int indent, const terminal& out);

struct table_column {
    std::string_view title;
    int drop = 0;        // the highest goes first when the terminal is narrow; 0: stays
    bool right = false;  // numbers
    int shortest = 0;    // it may be shortened to this width before others are left out; 0: it may not
};

// The widths that columns have had, so that a table that is drawn again does not jump.
using column_widths = std::vector<int>;

class table {
public:
    explicit table(std::vector<table_column> columns) : columns_(std::move(columns)) {}

    // One piece a column; the row's texts are printable already.
    void add(std::vector<piece> row) { rows_.push_back(std::move(row)); }

    // Header and rows, each with a newline; columns without any text are left out. Empty without rows.
    std::string render(const terminal& out) const;
    // The same with columns that are never narrower than in earlier calls with the same `widths`.
    std::string render(const terminal& out, column_widths& widths) const;

private:
    column_widths natural_widths() const;                                  // -1: no text in it
    column_widths fitted_widths(column_widths widths, int columns) const;  // -1: not shown
    std::string render_rows(const terminal& out, const column_widths& widths) const;

    std::vector<table_column> columns_;
    std::vector<std::vector<piece>> rows_;
};

}  // namespace hob::cmd
