#include "unit/protocol/lsp/request_params.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "unit/protocol/lsp/text.hpp"
#include "util/json/json_edit.hpp"
#include "util/json/json_text.hpp"
#include "util/json/json_writer.hpp"

namespace hob::unit {
namespace {

using util::json_object;
using util::raw_json;

constexpr std::string_view code_action = "textDocument/codeAction";

// What a request needs beside its document.
enum need : unsigned {
    needs_document = 0,
    needs_position = 1,
    needs_options = 2,    // of a formatter
    needs_range = 4,      // of the line that was given, else of the document
    needs_selection = 8,  // the position or line that was given, as a range
    needs_ranges = 16,    // an array of one range
    needs_positions = 32,
};
using members = void (*)(json_object& params);
struct method_needs {
    std::string_view method;
    unsigned needs;
    members defaults;  // of further members
};

void no_members(json_object&) {}
void declaration_context(json_object& params) {
    params.add("context", json_object().add("includeDeclaration", true));
}
void trigger_context(json_object& params) { params.add("context", json_object().add("triggerKind", 1)); }
void signature_context(json_object& params) {
    params.add("context", json_object().add("triggerKind", 1).add("isRetrigger", false));
}
void frame_context(json_object& params) { params.add("context", json_object().add("frameId", 0)); }
void typed_newline(json_object& params) { params.add("ch", "\n"); }
void save_reason(json_object& params) { params.add("reason", 1); }
void no_previous_result(json_object& params) { params.add("previousResultId", ""); }
void no_previous_results(json_object& params) { params.add("previousResultIds", util::json_array()); }
void all_symbols(json_object& params) { params.add("query", ""); }

constexpr std::array methods{
    method_needs{"textDocument/references", needs_position, declaration_context},
    method_needs{"textDocument/completion", needs_position, trigger_context},
    method_needs{"textDocument/inlineCompletion", needs_position, trigger_context},
    method_needs{"textDocument/signatureHelp", needs_position, signature_context},
    method_needs{"textDocument/selectionRange", needs_positions, no_members},
    method_needs{"textDocument/formatting", needs_options, no_members},
    method_needs{"textDocument/rangeFormatting", needs_options | needs_range, no_members},
    method_needs{"textDocument/rangesFormatting", needs_options | needs_ranges, no_members},
    method_needs{"textDocument/onTypeFormatting", needs_options | needs_position, typed_newline},
    method_needs{"textDocument/willSaveWaitUntil", needs_document, save_reason},
    method_needs{"textDocument/inlayHint", needs_range, no_members},
    method_needs{"textDocument/semanticTokens/range", needs_range, no_members},
    method_needs{"textDocument/semanticTokens/full/delta", needs_document, no_previous_result},
    method_needs{"textDocument/inlineValue", needs_range, frame_context},
    method_needs{"textDocument/colorPresentation", needs_range, no_members},
    method_needs{code_action, needs_selection, trigger_context},
    method_needs{"workspace/symbol", needs_document, all_symbols},
    method_needs{"workspace/diagnostic", needs_document, no_previous_results},
};

method_needs needs_of(std::string_view method) {
    for (const auto& each : methods) {
        if (each.method == method) return each;
    }
    return {method, needs_position, no_members};
}

// `params` and the defaults of members that it does not have.
std::string with_defaults(const method_needs& method, std::string_view params) {
    json_object defaults;
    method.defaults(defaults);
    return util::json_merge(defaults.text(), params);
}

std::string position(std::int64_t line, std::int64_t character) {
    return json_object().add("line", line).add("character", character).text();
}

std::string range(const std::string& start, const std::string& end) {
    return json_object().add("start", raw_json{start}).add("end", raw_json{end}).text();
}

// Of the first lines that are indented.
std::string formatting_options(std::string_view text) {
    std::int64_t width = 4;
    bool spaces = true;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = text.substr(at, end - at);
        const std::size_t blanks = std::min(line.find_first_not_of(' '), line.size());
        at = end + 1;
        if (line.starts_with('\t')) {
            spaces = false;
            break;
        }
        // A single blank is that of a comment's next line.
        if (blanks < 2 || blanks > 8 || blanks == line.size() || line[blanks] == '\r') continue;
        width = static_cast<std::int64_t>(blanks);
        break;
    }
    return json_object().add("tabSize", width).add("insertSpaces", spaces).text();
}

// Where a diagnostic is, as (line, character) of its start and its end.
using span = std::pair<std::pair<std::int64_t, std::int64_t>, std::pair<std::int64_t, std::int64_t>>;
std::optional<span> span_of(std::string_view range) {
    const auto number = [&](const char* end, const char* what) {
        return util::json_find_integer(range, {end, what});
    };
    const auto line = number("start", "line");
    const auto character = number("start", "character");
    const auto last_line = number("end", "line");
    const auto last_character = number("end", "character");
    if (!line || !character || !last_line || !last_character) return std::nullopt;
    return span{{*line, *character}, {*last_line, *last_character}};
}

// Those of `all` that touch the range.
std::string diagnostics_in(const std::string& all, std::string_view range) {
    const auto where = span_of(range);
    util::json_array found;
    for (const auto each : util::json_array_elements(all).value_or(std::vector<std::string_view>())) {
        const auto theirs = span_of(util::json_find(each, {"range"}));
        if (where && theirs && theirs->first <= where->second && where->first <= theirs->second)
            found.add(raw_json{each});
    }
    return std::move(found).text();
}

void add_missing(std::string& params, std::string_view key, const std::string& value) {
    if (util::json_member_of(params, key).empty()) params = util::json_set(params, {key}, value);
}

// In the protocol's terms; raw.
struct places {
    std::string position;  // empty: no line was given
    std::string start;     // the position, or that of the first character
    std::string lines;     // the range of the line that was given, else of the document
    std::string selected;  // the range of what was given: a position, a line, or the document
};

places places_of(const lsp_place& place) {
    const bool utf8 = place.columns_are_bytes;
    places found;
    found.start = position(0, 0);
    if (!place.line) {
        found.lines = range(found.start, lsp_end_position(place.text, utf8));
        found.selected = found.lines;
        return found;
    }
    const auto line = static_cast<std::size_t>(*place.line);
    const auto column = static_cast<std::size_t>(place.column.value_or(1));
    const bool known = !place.text.empty();
    const std::size_t character = known ? lsp_character(place.text, line, column, utf8) : column - 1;
    found.position = position(*place.line - 1, static_cast<std::int64_t>(character));
    found.start = found.position;
    found.lines = lsp_line_range(place.text, line, utf8);
    found.selected = place.column ? range(found.start, found.start) : found.lines;
    return found;
}

void add_places(std::string& params, unsigned needs, const places& where) {
    if ((needs & needs_position) != 0 && !where.position.empty())
        add_missing(params, "position", where.position);
    if ((needs & needs_positions) != 0) add_missing(params, "positions", "[" + where.start + "]");
    if ((needs & needs_range) != 0) add_missing(params, "range", where.lines);
    if ((needs & needs_ranges) != 0) add_missing(params, "ranges", "[" + where.lines + "]");
    if ((needs & needs_selection) != 0) add_missing(params, "range", where.selected);
}

}  // namespace

std::string complete_params(const std::string& method, std::string params, const lsp_place& place) {
    const method_needs entry = needs_of(method);
    if (entry.defaults != no_members) params = with_defaults(entry, params);
    const bool about_document = !place.uri.empty() && method.starts_with("textDocument/");
    const places where = places_of(place);
    if (!about_document)
        return where.position.empty() ? params : util::json_set(params, {"position"}, where.position);
    params = util::json_set(params, {"textDocument", "uri"}, util::json_quote(place.uri));
    add_places(params, entry.needs, where);
    if ((entry.needs & needs_options) != 0) {
        const std::string given(util::json_member_of(params, "options"));
        params = util::json_set(params, {"options"}, util::json_merge(formatting_options(place.text), given));
    }
    if (method == "textDocument/inlineValue" &&
        util::json_find(params, {"context", "stoppedLocation"}).empty()) {
        const std::string stopped(util::json_member_of(params, "range"));
        params = util::json_set(params, {"context", "stoppedLocation"}, stopped);
    }
    if (wants_diagnostics(method, params)) {
        params = util::json_set(params, {"context", "diagnostics"},
                                diagnostics_in(place.diagnostics, util::json_member_of(params, "range")));
    }
    return params;
}

bool wants_diagnostics(const std::string& method, const std::string& params) {
    return method == code_action && util::json_find(params, {"context", "diagnostics"}).empty();
}

}  // namespace hob::unit
