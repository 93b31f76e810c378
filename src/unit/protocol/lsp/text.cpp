#include "unit/protocol/lsp/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "limits.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_writer.hpp"
#include "util/real_path.hpp"
#include "util/utf8.hpp"

namespace hob::unit {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// Takes the first line off `text`, and its end, which is \n, \r\n or \r. nullopt: it is the last one.
std::optional<std::string_view> take_line(std::string_view& text) {
    const std::size_t end = text.find_first_of("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
    return line;
}

std::string_view line_of(std::string_view text, std::size_t line) {
    for (; line > 1; --line) {
        if (!take_line(text)) return {};
    }
    return text.substr(0, text.find_first_of("\r\n"));
}

std::size_t units_of(std::size_t sequence_length, bool utf8) {
    return utf8 ? sequence_length : sequence_length == 4 ? 2 : 1;
}

std::size_t units_in(std::string_view row, bool utf8) {
    std::size_t units = 0;
    while (!row.empty()) {
        const std::size_t length = std::max<std::size_t>(1, util::utf8_sequence(row));
        units += units_of(length, utf8);
        row.remove_prefix(std::min(length, row.size()));
    }
    return units;
}

std::string position_text(std::size_t line, std::size_t character) {
    return util::json_object().add("line", line).add("character", character).text();
}

// The offset of `character` in the line that begins at `at`. Positions behind the end of the line are that
// end.
std::size_t offset_in_line(std::string_view text, std::size_t at, std::int64_t character, bool utf8) {
    const std::string_view row = text.substr(at, text.find_first_of("\r\n", at) - at);
    std::size_t in_row = 0;
    for (std::int64_t units = 0; units < character && in_row < row.size();) {
        const std::size_t length = std::max<std::size_t>(1, util::utf8_sequence(row.substr(in_row)));
        units += static_cast<std::int64_t>(units_of(length, utf8));
        in_row += length;
    }
    return at + std::min(in_row, row.size());
}

// Expands `{a,b}`. Braces do not nest in the patterns of servers. nullopt: it stands for too many patterns.
std::optional<std::vector<std::string>> alternatives(std::string_view pattern) {
    if (pattern.size() > limits::path_pattern_max) return std::nullopt;
    std::vector<std::string> all{""};
    for (;;) {
        const std::size_t open = pattern.find('{');
        const std::size_t close = pattern.find('}', open);
        const bool plain = open == std::string_view::npos || close == std::string_view::npos;
        for (auto& begun : all)
            begun.append(pattern.substr(0, plain ? pattern.size() : open));
        if (plain) return all;
        std::vector<std::string> longer;
        std::string_view words = pattern.substr(open + 1, close - open - 1);
        for (std::size_t comma = 0; comma != std::string_view::npos;
             words.remove_prefix(std::min(comma + 1, words.size()))) {
            comma = words.find(',');
            for (const auto& begun : all)
                longer.push_back(begun + std::string(words.substr(0, comma)));
            if (longer.size() > limits::path_alternatives_max) return std::nullopt;
            if (comma == std::string_view::npos) break;
        }
        all = std::move(longer);
        pattern.remove_prefix(close + 1);
    }
}

}  // namespace

std::string document_path(const std::string& root, std::string_view path) {
    std::string real = util::real_path(path);
    if (util::is_within(real, root)) return real;
    std::string named = util::normal_path(path);
    return util::is_within(named, root) ? named : real;
}

std::string document_key(const std::string& root, std::string_view uri) {
    const auto path = util::path_of_uri(uri);
    return path ? document_path(root, *path) : std::string(uri);
}

std::size_t lsp_character(std::string_view text, std::size_t line, std::size_t column, bool utf8) {
    const std::string_view row = line_of(text, line);
    // The mark is part of the document, and no editor shows it.
    const bool marked = line == 1 && row.starts_with(byte_order_mark);
    std::size_t at = marked ? byte_order_mark.size() : 0;
    std::size_t units = units_in(row.substr(0, at), utf8);
    for (std::size_t characters = 1; characters < column && at < row.size(); ++characters) {
        const std::size_t length = std::max<std::size_t>(1, util::utf8_sequence(row.substr(at)));
        units += units_of(length, utf8);
        at += length;
    }
    return units;
}

std::string lsp_line_range(std::string_view text, std::size_t line, bool utf8) {
    return util::json_object()
        .add("start", util::raw_json{position_text(line - 1, 0)})
        .add("end", util::raw_json{position_text(line - 1, units_in(line_of(text, line), utf8))})
        .text();
}

std::string lsp_end_position(std::string_view text, bool utf8) {
    std::size_t lines = 0;
    while (take_line(text))
        ++lines;
    return position_text(lines, units_in(text, utf8));
}

bool has_plain_lines(std::string_view text) {
    constexpr std::string_view controls("\v\f\x1C\x1D\x1E", 5);
    constexpr std::array<std::string_view, 3> others{"\xC2\x85", "\xE2\x80\xA8", "\xE2\x80\xA9"};
    for (auto at = text.find('\r'); at != text.npos; at = text.find('\r', at + 1)) {
        if (text.substr(at + 1, 1) != "\n") return false;
    }
    return text.find_first_of(controls) == text.npos &&
           std::none_of(others.begin(), others.end(),
                        [text](auto each) { return text.find(each) != text.npos; });
}

std::string without_byte_order_mark(std::string text) {
    if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
    return text;
}

lsp_line_starts::lsp_line_starts(std::string_view text) : text_(text) {
    starts_.push_back(0);
    for (std::string_view rest = text; take_line(rest);)
        starts_.push_back(text.size() - rest.size());
}

std::optional<std::pair<std::size_t, std::size_t>> lsp_line_starts::offsets(std::string_view range,
                                                                            bool utf8) const {
    std::array<std::size_t, 2> ends{};
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const char* which = i == 0 ? "start" : "end";
        const auto line = util::json_find_integer(range, {which, "line"});
        const auto character = util::json_find_integer(range, {which, "character"});
        if (!line || !character || *line < 0 || *character < 0) return std::nullopt;
        const auto row = static_cast<std::size_t>(*line);
        ends[i] = row < starts_.size() ? offset_in_line(text_, starts_[row], *character, utf8) : text_.size();
    }
    if (ends[1] < ends[0]) return std::nullopt;
    return std::pair(ends[0], ends[1]);
}

bool lsp_apply_change(std::string& text, std::string_view change, bool utf8) {
    auto inserted = util::json_find_string(change, {"text"});
    if (!inserted) return false;
    const std::string_view range = util::json_member_of(change, "range");
    if (range.empty()) {
        text = std::move(*inserted);
        return true;
    }
    const auto ends = lsp_line_starts(text).offsets(range, utf8);
    if (!ends) return false;
    text.replace(ends->first, ends->second - ends->first, *inserted);
    return true;
}

lsp_glob::lsp_glob(std::string_view pattern) {
    for (const auto& each : alternatives(pattern).value_or(std::vector<std::string>{"**"}))
        alternatives_.emplace_back(each);
}

bool lsp_glob::matches(std::string_view path) const {
    return std::any_of(alternatives_.begin(), alternatives_.end(),
                       [path](const glob& each) { return each.matches(path); });
}

}  // namespace hob::unit
