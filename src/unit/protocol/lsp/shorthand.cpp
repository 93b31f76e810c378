#include "unit/protocol/lsp/shorthand.hpp"

#include <fmt/format.h>

#include <utility>

#include "error.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"

namespace hob::unit {
namespace {

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

std::string take_title(const std::string& method, std::string& params) {
    if (method != "textDocument/codeAction" || !params.starts_with('{')) return {};
    return util::json_display_text(take_member(params, "title"));
}

}  // namespace hob::unit
