#pragma once
// Aligned columns that fit the terminal: if it is too narrow, the least important columns are dropped, then
// text is shortened.

#include <string>
#include <string_view>
#include <vector>

#include "cmd/core/output.hpp"

namespace hob::cmd {

// Text that is safe on a terminal, whatever a unit or a path is called: control characters and bytes that are
// not UTF-8 become
// "\xNN", and without `utf8` also everything beyond ASCII.
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

// Joins the pieces of a line by two blanks. Where a piece does not fit, continues on a new line, indented by
// `indent`. Ends with a newline. Widths are measured without colours.
struct piece {
    std::string text;
    std::string code;  // ANSI, or empty
};
std::string flow(const std::vector<piece>& pieces, int indent, const terminal& out);

struct table_column {
    std::string_view title;
    int drop = 0;        // the highest is dropped first on a narrow terminal; 0: never dropped
    bool right = false;  // numbers
    int shortest = 0;    // it may be shortened to this width before others are left out; 0: it may not
};

// The widths that columns have had, so that a table that is drawn again does not jump.
using column_widths = std::vector<int>;

class table {
public:
    explicit table(std::vector<table_column> columns) : columns_(std::move(columns)) {}

    // One piece a column, with printable() text.
    void add(std::vector<piece> row) { rows_.push_back(std::move(row)); }

    // Header and rows, each with a newline. Leaves out columns without text. Empty without rows.
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
