#include "unit/protocol/lsp/text.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>
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
    const std::size_t end = lsp_line_end(text, 0);
    if (end == text.size()) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
    return line;
}

std::string_view line_of(std::string_view text, std::size_t line) {
    for (; line > 1; --line) {
        if (!take_line(text)) return {};
    }
    return text.substr(0, lsp_line_end(text, 0));
}

std::size_t units_of(std::size_t sequence_length, bool utf8) {
    return utf8 ? sequence_length : sequence_length == 4 ? 2 : 1;
}

// The size of the words of 8 bytes at its start that are ASCII.
std::size_t ascii_words(std::string_view text) {
    std::size_t at = 0;
    for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
        std::memcpy(&word, text.data() + at, sizeof word);
        if ((word & 0x8080808080808080u) != 0) break;
    }
    return at;
}

std::string position_text(std::size_t line, std::size_t character) {
    return util::json_object().add("line", line).add("character", character).text();
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

std::size_t lsp_line_end(std::string_view text, std::size_t at) {
    while (at < text.size() && text[at] != '\n' && text[at] != '\r')
        ++at;
    return at;
}

std::size_t lsp_units(std::string_view text, bool utf8) {
    if (utf8) return text.size();
    std::size_t units = 0;
    while (!text.empty()) {
        std::size_t length = ascii_words(text);
        units += length;
        if (length == 0) {
            length = std::max<std::size_t>(1, util::utf8_sequence(text));
            units += units_of(length, utf8);
        }
        text.remove_prefix(length);
    }
    return units;
}

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
    std::size_t units = lsp_units(row.substr(0, at), utf8);
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
        .add("end", util::raw_json{position_text(line - 1, lsp_units(line_of(text, line), utf8))})
        .text();
}

std::string lsp_end_position(std::string_view text, bool utf8) {
    std::size_t lines = 0;
    while (take_line(text))
        ++lines;
    return position_text(lines, lsp_units(text, utf8));
}

bool has_plain_lines(std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        const bool ends_other =
            (c == '\r' && text.substr(at + 1, 1) != "\n") || c == '\v' || c == '\f' ||
            (c >= '\x1C' && c <= '\x1E') || (c == '\xC2' && text.substr(at + 1, 1) == "\x85") ||
            (c == '\xE2' && (text.substr(at + 1, 2) == "\x80\xA8" || text.substr(at + 1, 2) == "\x80\xA9"));
        if (ends_other) return false;
    }
    return true;
}

std::string without_byte_order_mark(std::string text) {
    if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
    return text;
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
