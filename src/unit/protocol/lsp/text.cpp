#include "unit/protocol/lsp/text.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "limits.hpp"
#include "util/file_uri.hpp"
#include "util/json/json_edit.hpp"
#include "util/utf8.hpp"

namespace hob::unit {
namespace {

struct language {
    std::string_view extension, name;
};
constexpr std::array languages{
    language{"c", "c"},
    language{"h", "cpp"},
    language{"cc", "cpp"},
    language{"cpp", "cpp"},
    language{"cxx", "cpp"},
    language{"hpp", "cpp"},
    language{"hh", "cpp"},
    language{"m", "objective-c"},
    language{"mm", "objective-cpp"},
    language{"py", "python"},
    language{"rs", "rust"},
    language{"go", "go"},
    language{"js", "javascript"},
    language{"mjs", "javascript"},
    language{"jsx", "javascriptreact"},
    language{"ts", "typescript"},
    language{"tsx", "typescriptreact"},
    language{"sh", "shellscript"},
    language{"bash", "shellscript"},
    language{"rb", "ruby"},
    language{"java", "java"},
    language{"cs", "csharp"},
    language{"md", "markdown"},
    language{"yml", "yaml"},
    language{"pl", "perl"},
    language{"hs", "haskell"},
    language{"ml", "ocaml"},
};

std::string_view line_of(std::string_view text, std::size_t line) {
    for (; line > 1; --line) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    text = text.substr(0, text.find('\n'));
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

// The offset of `character` of `line`, both counted from 0. Positions behind the end of the line or the text
// are that end.
std::size_t offset_of(std::string_view text, std::int64_t line, std::int64_t character, bool utf8) {
    std::size_t at = 0;
    for (; line > 0; --line) {
        at = text.find_first_of("\r\n", at);
        if (at == std::string_view::npos) return text.size();
        at += text.substr(at, 2) == "\r\n" ? 2 : 1;
    }
    const std::string_view row = text.substr(at, text.find_first_of("\r\n", at) - at);
    std::size_t in_row = 0;
    for (std::int64_t units = 0; units < character && in_row < row.size();) {
        const std::size_t length = std::max<std::size_t>(1, util::utf8_sequence(row.substr(in_row)));
        units += utf8 ? static_cast<std::int64_t>(length) : length == 4 ? 2 : 1;
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

std::string document_key(std::string_view uri) { return util::path_of_uri(uri).value_or(std::string(uri)); }

bool is_source_path(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const std::size_t dot = name.rfind('.');
    return dot != std::string_view::npos &&
           std::any_of(languages.begin(), languages.end(),
                       [&](const language& each) { return each.extension == name.substr(dot + 1); });
}

std::string language_of_path(std::string_view path) {
    const std::string_view name = path.substr(path.rfind('/') + 1);
    const std::size_t dot = name.rfind('.');
    if (dot == std::string_view::npos) return name == "Makefile" ? "makefile" : "plaintext";
    const std::string_view extension = name.substr(dot + 1);
    for (const auto& each : languages) {
        if (each.extension == extension) return std::string(each.name);
    }
    return std::string(extension);
}

std::size_t lsp_character(std::string_view text, std::size_t line, std::size_t column, bool utf8) {
    const std::string_view row = line_of(text, line);
    std::size_t units = 0;
    std::size_t at = 0;
    for (std::size_t characters = 1; characters < column && at < row.size(); ++characters) {
        const std::size_t length = std::max<std::size_t>(1, util::utf8_sequence(row.substr(at)));
        units += utf8 ? length : length == 4 ? 2 : 1;
        at += length;
    }
    return units;
}

bool lsp_apply_change(std::string& text, std::string_view change, bool utf8) {
    auto inserted = util::json_find_string(change, {"text"});
    if (!inserted) return false;
    if (util::json_member_of(change, "range").empty()) {
        text = std::move(*inserted);
        return true;
    }
    std::array<std::size_t, 2> ends{};
    for (std::size_t i = 0; i < ends.size(); ++i) {
        const char* which = i == 0 ? "start" : "end";
        const auto line = util::json_find_integer(change, {"range", which, "line"});
        const auto character = util::json_find_integer(change, {"range", which, "character"});
        if (!line || !character) return false;
        ends[i] = offset_of(text, *line, *character, utf8);
    }
    if (ends[1] < ends[0]) return false;
    text.replace(ends[0], ends[1] - ends[0], *inserted);
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
