#include "cmd/core/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <numeric>

namespace hob::cmd {
namespace {

constexpr int gap = 2;        // blanks between columns
constexpr int narrowest = 4;  // a column is not shortened below this
constexpr char header_code[] = "2";

struct code_point {
    std::uint32_t value = 0;
    std::size_t bytes = 0;  // 0: not UTF-8
};

code_point decode(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
    const std::uint8_t first = byte(0);
    if (first < 0x80) return {first, 1};
    const std::size_t length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
    if (length == 0 || first >= 0xf5 || text.size() < length) return {};
    std::uint32_t value = first & (0xffu >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) return {};
        value = (value << 6) | (byte(i) & 0x3fu);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const bool surrogate = value >= 0xd800 && value < 0xe000;
    if (value < smallest[length] || value > 0x10ffff || surrogate) return {};
    return {value, length};
}

bool within(std::uint32_t value, std::uint32_t low, std::uint32_t high) {
    return value >= low && value <= high;
}

// DEL, C1 controls, and what changes the direction or the lines of text: a terminal that obeys them shows
// something else than the text.
bool is_hidden_control(std::uint32_t value) {
    return within(value, 0x7f, 0x9f) || value == 0x61c || within(value, 0x200e, 0x200f) ||
           within(value, 0x2028, 0x202e) || within(value, 0x2066, 0x206f);
}

// Also C0 controls, and characters without a width.
bool is_unprintable(std::uint32_t value) {
    return value < 0x20 || is_hidden_control(value) || value == 0xad || value == 0x180e ||
           within(value, 0x200b, 0x200d) || within(value, 0x2060, 0x2064) || value == 0xfeff ||
           within(value, 0xfff9, 0xfffb) || within(value, 0xe0000, 0xe007f);
}

// How many characters of printable ASCII `text` begins with.
std::size_t plain_length(std::string_view text) {
    const auto plain = [](char c) { return c >= 0x20 && c < 0x7f; };
    return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), plain) - text.begin());
}

int width_of(std::uint32_t value) {
    if (value >= 0x300 && value < 0x370) return 0;
    const bool wide = (value >= 0x1100 && value < 0x1160) || (value >= 0x2e80 && value < 0xa4d0) ||
                      (value >= 0xac00 && value < 0xd7a4) || (value >= 0xf900 && value < 0xfb00) ||
                      (value >= 0xfe30 && value < 0xfe70) || (value >= 0xff00 && value < 0xff61) ||
                      (value >= 0x1f300 && value < 0x1f650) || (value >= 0x1f900 && value < 0x1fa00) ||
                      (value >= 0x20000 && value < 0x40000);
    return wide ? 2 : 1;
}

std::string painted(std::string_view text, std::string_view code, const terminal& out) {
    return paint(text, code, out.color && !code.empty());
}

std::string blanks(int count) { return std::string(static_cast<std::size_t>(std::max(count, 0)), ' '); }

}  // namespace

std::string printable(std::string_view text, bool utf8) {
    std::string out;
    out.reserve(text.size());
    for (;;) {
        const std::size_t plain = plain_length(text);
        out += text.substr(0, plain);
        text.remove_prefix(plain);
        if (text.empty()) break;
        const code_point point = decode(text);
        const std::size_t bytes = std::max<std::size_t>(point.bytes, 1);
        const bool shown = point.bytes == 1 || (point.bytes > 1 && utf8);
        if (shown && !is_unprintable(point.value)) {
            out += text.substr(0, bytes);
        } else {
            for (const char c : text.substr(0, bytes)) {
                out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(c));
            }
        }
        text.remove_prefix(bytes);
    }
    return out;
}

std::string printable_lines(std::string_view text, bool utf8) {
    std::string out;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of("\n\t"), text.size());
        out += printable(text.substr(0, end), utf8);
        if (end < text.size()) out += text[end];
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

std::string without_hidden_controls(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const code_point point = decode(text);
        const std::size_t bytes = std::max<std::size_t>(point.bytes, 1);
        const auto first = static_cast<std::uint8_t>(text.front());
        if (point.bytes > 0 && is_hidden_control(point.value)) {
            out += fmt::format("\\u{:04x}", point.value);
        } else if (point.bytes == 0 && within(first, 0x80, 0x9f)) {
            out += fmt::format("\\x{:02x}", first);  // a C1 control where the terminal does not use UTF-8
        } else {
            out += text.substr(0, bytes);
        }
        text.remove_prefix(bytes);
    }
    return out;
}

int display_width(std::string_view utf8_text) {
    int width = 0;
    while (!utf8_text.empty()) {
        const code_point point = decode(utf8_text);
        width += point.bytes == 0 ? 1 : width_of(point.value);
        utf8_text.remove_prefix(std::max<std::size_t>(point.bytes, 1));
    }
    return width;
}

std::string shortened(std::string_view text, int columns, bool utf8) {
    if (display_width(text) <= columns) return std::string(text);
    if (columns <= 0) return {};
    std::size_t kept = 0;
    int width = 0;
    while (kept < text.size()) {
        const code_point point = decode(text.substr(kept));
        const int wider = width + (point.bytes == 0 ? 1 : width_of(point.value));
        if (wider > columns - 1) break;
        width = wider;
        kept += std::max<std::size_t>(point.bytes, 1);
    }
    return std::string(text.substr(0, kept)) + (utf8 ? "\u2026" : "~");
}

std::string flow(const std::vector<piece>& pieces, int indent, const terminal& out) {
    std::string text;
    int column = 0;
    for (const auto& [words, code] : pieces) {
        if (words.empty()) continue;
        const std::string fitting =
            out.interactive ? shortened(words, out.columns - indent, out.utf8) : words;
        const int width = display_width(fitting);
        if (column > 0 && out.interactive && column + gap + width > out.columns) {
            text += "\n" + blanks(indent);
            column = indent;
        } else if (column > 0) {
            text += blanks(gap);
            column += gap;
        }
        text += painted(fitting, code, out);
        column += width;
    }
    return text + "\n";
}

column_widths table::natural_widths() const {
    column_widths widths(columns_.size(), -1);
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        int widest = 0;
        for (const auto& row : rows_)
            widest = std::max(widest, display_width(row[i].text));
        if (widest > 0) widths[i] = std::max(widest, display_width(columns_[i].title));
    }
    return widths;
}

// Shortens what may be shortened, then leaves out the least important columns, then shortens the widest ones.
column_widths table::fitted_widths(column_widths widths, int columns) const {
    const auto total = [&] {
        int sum = -gap;
        for (const int width : widths)
            sum += width < 0 ? 0 : width + gap;
        return sum;
    };
    const column_widths natural = widths;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        if (columns_[i].shortest > 0) widths[i] = std::min(widths[i], columns_[i].shortest);
    }
    while (total() > columns) {
        std::size_t last = 0;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            const bool first_found = widths[last] < 0 || columns_[i].drop > columns_[last].drop;
            if (widths[i] >= 0 && first_found) last = i;
        }
        if (columns_[last].drop == 0) break;
        widths[last] = -1;
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const int spare = columns - total();
        if (widths[i] >= 0 && spare > 0) widths[i] = std::min(natural[i], widths[i] + spare);
    }
    while (total() > columns) {
        auto widest = std::max_element(widths.begin(), widths.end());
        if (*widest <= narrowest) break;
        --*widest;
    }
    return widths;
}

std::string table::render(const terminal& out) const {
    const column_widths widths = natural_widths();
    return render_rows(out, out.interactive ? fitted_widths(widths, out.columns) : widths);
}

std::string table::render(const terminal& out, column_widths& widths) const {
    const column_widths natural = natural_widths();
    widths.resize(natural.size(), -1);
    std::transform(natural.begin(), natural.end(), widths.begin(), widths.begin(),
                   [](int now, int before) { return std::max(now, before); });
    return render_rows(out, out.interactive ? fitted_widths(widths, out.columns) : widths);
}

std::string table::render_rows(const terminal& out, const column_widths& widths) const {
    if (rows_.empty()) return {};
    std::string text;
    const auto append = [&](const std::vector<piece>& row) {
        int pending = 0;  // blanks before the next text, so that no line ends in blanks
        bool first = true;
        for (std::size_t i = 0; i < columns_.size(); ++i) {
            if (widths[i] < 0) continue;
            if (!first) pending += gap;
            first = false;
            const std::string fitting = shortened(row[i].text, widths[i], out.utf8);
            const int spare = widths[i] - display_width(fitting);
            if (columns_[i].right) pending += spare;
            if (!fitting.empty()) {
                text += blanks(pending) + painted(fitting, row[i].code, out);
                pending = 0;
            }
            if (!columns_[i].right) pending += spare;
        }
        text += '\n';
    };
    std::vector<piece> header;
    for (const auto& column : columns_)
        header.push_back({std::string(column.title), header_code});
    append(header);
    for (const auto& row : rows_)
        append(row);
    return text;
}

}  // namespace hob::cmd
