#include "util/path_pattern.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "limits.hpp"

namespace hob::util {
namespace {

// The position after the character, escape or bracket expression at `at`.
std::size_t skip_literal(std::string_view text, std::size_t at) {
    if (text[at] == '\\') return std::min(at + 2, text.size());
    if (text[at] != '[') return at + 1;
    std::size_t end = at + 1;
    if (end < text.size() && (text[end] == '!' || text[end] == '^')) ++end;
    if (end < text.size() && text[end] == ']') ++end;
    end = text.find(']', end);
    return end == std::string_view::npos ? at + 1 : end + 1;
}

struct braces {
    std::size_t open = 0, close = 0;
    std::vector<std::string_view> alternatives;
};

// The first pair of braces with its alternatives. nullopt: there is none, or it is not closed (`error`).
std::optional<braces> find_braces(std::string_view text, std::string& error) {
    std::optional<braces> found;
    std::size_t depth = 0, start = 0;
    for (std::size_t at = 0; at < text.size();) {
        const char c = text[at];
        if (c == '{') {
            if (depth++ == 0) {
                found = braces{at, 0, {}};
                start = at + 1;
            }
        } else if (depth > 0 && c == ',' && depth == 1) {
            found->alternatives.push_back(text.substr(start, at - start));
            start = at + 1;
        } else if (depth > 0 && c == '}' && --depth == 0) {
            found->alternatives.push_back(text.substr(start, at - start));
            found->close = at;
            return found;
        }
        at = skip_literal(text, at);
    }
    if (depth > 0) error = "has an open '{'";
    return std::nullopt;
}

void expand_braces(std::string_view text, path_patterns& result) {
    const auto pair = find_braces(text, result.error);
    if (!result.error.empty()) return;
    if (!pair) {
        result.patterns.emplace_back(text);
        if (result.patterns.size() > limits::path_alternatives_max)
            result.error = fmt::format("has more than {} alternatives", limits::path_alternatives_max);
        return;
    }
    if (pair->alternatives.size() < 2) {
        result.error = "has braces without a comma";
        result.hint = "alternatives are written as {a,b}; \\{ is the character";
        return;
    }
    for (const std::string_view alternative : pair->alternatives) {
        std::string one(text.substr(0, pair->open));
        one.append(alternative).append(text.substr(pair->close + 1));
        expand_braces(one, result);
        if (!result.error.empty()) return;
    }
}

// Resolves `.` and `..`; nullopt: it leads out of the root, or past a wildcard.
std::optional<std::string> normalized(std::string_view pattern) {
    std::vector<std::string_view> parts;
    while (!pattern.empty()) {
        const std::string_view part = pattern.substr(0, pattern.find('/'));
        pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
        if (part.empty() || part == ".") continue;
        if (part != "..") {
            parts.push_back(part);
            continue;
        }
        if (parts.empty() || parts.back().find_first_of("*?[") != std::string_view::npos) return std::nullopt;
        parts.pop_back();
    }
    std::string path;
    for (const auto part : parts)
        path.append(path.empty() ? "" : "/").append(part);
    return path.empty() ? "**" : path;
}

}  // namespace

path_patterns expand_path_pattern(std::string_view text) {
    path_patterns result;
    if (text.empty()) {
        result.error = "is empty";
    } else if (text.size() > limits::path_pattern_max) {
        result.error = fmt::format("is longer than {} bytes", limits::path_pattern_max);
    } else if (text.front() == '!') {
        result.error = "begins with '!'";
        result.hint = "paths to leave out belong to 'ignore'; \\! is the character";
    } else if (text == "~" || text.starts_with("~/")) {
        result.error = "begins with '~'";
        result.hint = "patterns are relative to the root of the project";
    } else {
        expand_braces(text, result);
    }
    for (std::string& pattern : result.patterns) {
        if (!result.error.empty()) break;
        if (pattern.starts_with('/')) {
            result.error = "is absolute";
            result.hint = "patterns are relative to the root of the project";
        } else if (auto path = normalized(pattern)) {
            pattern = std::move(*path);
        } else {
            result.error = "leads out of the root of the project, or past a wildcard, with '..'";
        }
    }
    return result;
}

}  // namespace hob::util
