#include "unit/protocol/lsp/shorthand.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "error.hpp"
#include "unit/protocol/lsp/methods.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {
namespace {

// What the params of the requests and notifications about a document consist of.
constexpr std::array<std::string_view, 20> request_members{
    "textDocument",
    "position",
    "positions",
    "range",
    "ranges",
    "context",
    "newName",
    "options",
    "ch",
    "identifier",
    "color",
    "reason",
    "query",
    "title",
    "text",
    "previousResultId",
    "contentChanges",
    "changes",
    "workDoneToken",
    "partialResultToken",
};
constexpr std::array<std::pair<std::string_view, std::string_view>, 9> other_words{{
    {"column", "col=N"},
    {"character", "col=N"},
    {"offset", "line=N col=N"},
    {"symbol", "line=N col=N"},
    {"row", "line=N"},
    {"path", "file=PATH"},
    {"uri", "file=PATH"},
    {"name", "newName=TEXT"},
    {"new_name", "newName=TEXT"},
}};

// The raw value of a member, which is removed; empty: there is none.
std::string take_member(std::string& params, std::string_view key) {
    std::string value(util::json_member_of(params, key));
    if (!value.empty()) params = util::json_without(params, key);
    return value;
}

}  // namespace

lsp_shorthand take_shorthand(const std::string& unit, std::string& params, const std::string& directory) {
    lsp_shorthand given;
    if (!params.starts_with('{')) return given;
    if (const std::string file = take_member(params, "file"); !file.empty()) {
        given.file = util::json_display_text(file);
        if (!given.file.starts_with('/')) given.file = directory + "/" + given.file;
    }
    for (const auto& [key, into] : {std::pair("line", &given.line), std::pair("col", &given.column)}) {
        const std::string raw = take_member(params, key);
        if (raw.empty()) continue;
        *into = util::json_integer(util::json_display_text(raw));
        if (!*into || **into < 1) {
            throw failure(error_kind::usage, cannot("call", unit),
                          fmt::format("'{}' is a number from 1 on, not {}", key, raw));
        }
    }
    if (given.file.empty() && (given.line || given.column))
        throw failure(error_kind::usage, cannot("call", unit), "'line' and 'col' need 'file'");
    return given;
}

void check_line(const std::string& unit, const lsp_shorthand& given, std::string_view text) {
    if (!given.line) return;
    const auto lines = std::count(text.begin(), text.end(), '\n') + (text.ends_with('\n') ? 0 : 1);
    if (*given.line <= lines + 1) return;
    throw failure(error_kind::usage, cannot("call", unit),
                  fmt::format("line {} is behind the end of '{}', which has {} {}", *given.line, given.file,
                              lines, lines == 1 ? "line" : "lines"));
}

void check_members(const std::string& unit, const std::string& method, const std::string& params) {
    const auto methods = lsp_methods();
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) return;
    const auto members = util::json_object_members(params);
    if (!members) return;
    for (const auto& member : *members) {
        if (std::find(request_members.begin(), request_members.end(), member.key) != request_members.end())
            continue;
        const auto meant = std::find_if(other_words.begin(), other_words.end(),
                                        [&](const auto& each) { return each.first == member.key; });
        throw failure(error_kind::usage, cannot("call", unit),
                      fmt::format("{} has no member '{}'", method, member.key),
                      meant == other_words.end() ? "file=PATH line=N col=N say what it is about"
                                                 : fmt::format("say {}", meant->second));
    }
}

std::string take_title(const std::string& method, std::string& params) {
    if (method != "textDocument/codeAction" || !params.starts_with('{')) return {};
    return util::json_display_text(take_member(params, "title"));
}

}  // namespace hob::unit
